"""What the documents say is there is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from graphql import build_schema, parse, validate
from graphql.language import FragmentDefinitionNode, OperationDefinitionNode

from loyalty.domain.reasons import Reason
from loyalty.domain.registry import built_in
from loyalty.domain.rulesets.ruleset_file import read_ruleset
from loyalty.errors import BadRuleset

LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^#{1,6} (.+)$", re.MULTILINE)
INLINE = re.compile(r"'((?:query|mutation|subscription)\b[^']*)'")
ELSEWHERE = re.compile(r"[a-z]+:", re.ASCII)


@pytest.fixture(scope="module")
def pages(texts: dict[str, str]) -> dict[str, str]:
    """Every document, by path from the project's folder."""
    return {path: text for path, text in texts.items() if path.endswith(".md")}


@pytest.fixture(scope="module")
def written(pages: dict[str, str]) -> dict[str, str]:
    """The documents that are ours to keep true: the README and docs/."""
    return {
        path: text
        for path, text in pages.items()
        if path == "README.md" or path.startswith("docs/")
    }


def without_code(text: str) -> str:
    """A document without its fenced blocks and code spans, where brackets are no links."""
    return re.sub(r"`[^`\n]*`", "", FENCE.sub("", text))


def anchors(text: str) -> set[str]:
    """Names of a document's headings, as links write them."""
    plain = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in HEADING.findall(text))
    return {heading.strip().replace(" ", "-") for heading in plain}


def blocks(text: str, language: str) -> list[str]:
    return [body for name, body in FENCE.findall(text) if name == language]


def test_every_link_leads_somewhere(root: Path, pages: dict[str, str]) -> None:
    broken = []
    for path, text in pages.items():
        for link in LINK.findall(without_code(text)):
            if ELSEWHERE.match(link):
                continue
            target, _, anchor = link.partition("#")
            found = ((root / path).parent / target).resolve() if target else root / path
            if not found.exists():
                broken.append(f"{path}: {link}")
            elif anchor and found.suffix == ".md" and anchor not in anchors(found.read_text()):
                broken.append(f"{path}: {link} (no such heading)")

    assert broken == []


def test_every_page_is_found_from_the_readme(root: Path, pages: dict[str, str]) -> None:
    seen: set[str] = set()
    waiting = ["README.md"]
    while waiting:
        path = waiting.pop()
        if path in seen:
            continue
        seen.add(path)
        for link in LINK.findall(without_code(pages[path])):
            if not ELSEWHERE.match(link):
                target = ((root / path).parent / link.partition("#")[0]).resolve()
                name = str(target.relative_to(root)) if target.is_relative_to(root) else ""
                waiting += [name] if name in pages else []

    lost = sorted(path for path in pages if path.startswith("docs/") and path not in seen)

    assert lost == [], "link these pages from docs/README.md, or nobody reads them"


def test_every_decision_is_listed_once_and_in_sequence(root: Path, pages: dict[str, str]) -> None:
    folder = root / "docs/decisions"
    files = sorted(path.name for path in folder.glob("[0-9]*.md"))

    listed = LINK.findall((folder / "README.md").read_text(encoding="utf-8"))

    assert listed == files
    assert [int(name[:4]) for name in files] == list(range(1, len(files) + 1))


def test_every_decision_says_why_and_what_else(root: Path) -> None:
    wanted = ("**Context.**", "**Decision.**", "**Consequences.**", "**Considered.**")

    short = {
        path.name: missing
        for path in sorted((root / "docs/decisions").glob("[0-9]*.md"))
        if (missing := [each for each in wanted if each not in path.read_text(encoding="utf-8")])
    }

    assert short == {}


def test_every_reason_has_its_heading(root: Path) -> None:
    text = (root / "docs/reference/reasons.md").read_text(encoding="utf-8")

    headings = re.findall(r"^## ([A-Z_]+)$", text, re.MULTILINE)

    assert sorted(headings) == sorted(Reason)


@pytest.mark.parametrize("command", ["scripts/demo", "scripts/test"])
def test_the_readme_names_the_two_commands(command: str, root: Path) -> None:
    assert command in (root / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("schema_name", ["storefront", "admin"])
def test_graphql_in_the_documents_fits_a_schema(
    schema_name: str, root: Path, written: dict[str, str]
) -> None:
    """Blocks, and documents that a command sends; ``# admin`` begins one for the merchant."""
    schema = build_schema((root / f"graphql/{schema_name}.graphql").read_text(encoding="utf-8"))
    problems = []
    for path, text in written.items():
        sent = [document for block in blocks(text, "sh") for document in INLINE.findall(block)]
        for block in [*blocks(text, "graphql"), *sent]:
            if block.startswith("# admin") != (schema_name == "admin"):
                continue
            document = parse(block)
            executable = (OperationDefinitionNode, FragmentDefinitionNode)
            if all(isinstance(node, executable) for node in document.definitions):
                problems += [f"{path}: {error.message}" for error in validate(schema, document)]
            else:
                problems.append(f"{path}: found a block of definitions, wanted operations")

    assert problems == []


def test_whole_rulesets_in_the_documents_are_valid(written: dict[str, str]) -> None:
    problems = []
    for path, text in written.items():
        for block in blocks(text, "toml"):
            if re.search(r"^currency = ", block, re.MULTILINE) and "[tier_policy]" in block:
                try:
                    read_ruleset(block, built_in())
                except BadRuleset as error:
                    problems += [f"{path}: {problem}" for problem in error.problems]

    assert problems == []
