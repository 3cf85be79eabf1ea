"""Whatever the demo's page and its shop send is valid against the published schema."""

import re
from pathlib import Path

import pytest
from graphql import build_schema, parse, validate

from loyalty.web.demo_shop import DOCUMENTS
from loyalty.web.pages import FOLDER

SCHEMA = Path(__file__).parents[2] / "graphql" / "storefront.graphql"

FRAGMENT = re.compile(r"^const (\w+) = `([^`]*)`", re.MULTILINE)
OPERATION = re.compile(r'operation\(\s*"(\w+)",\s*`([^`]*)`,?([^)]*)\)')


def documents_of_page() -> dict[str, str]:
    """Name to text of each operation in the page's ``documents.js``."""
    source = (FOLDER / "js" / "documents.js").read_text(encoding="utf-8")
    fragments = dict(FRAGMENT.findall(source))
    return {
        name: "\n".join([text, *(fragments[one] for one in re.findall(r"\w+", used))])
        for name, text, used in OPERATION.findall(source)
    }


def test_every_operation_of_the_page_is_found() -> None:
    source = (FOLDER / "js" / "documents.js").read_text(encoding="utf-8")

    assert len(documents_of_page()) == source.count("= operation(") > 0


@pytest.mark.parametrize(("name", "text"), [*documents_of_page().items(), *DOCUMENTS.items()])
def test_document_is_valid(name: str, text: str) -> None:
    schema = build_schema(SCHEMA.read_text(encoding="utf-8"))

    assert validate(schema, parse(text)) == []
