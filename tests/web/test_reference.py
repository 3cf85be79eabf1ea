"""The reference says what the code does: codes, settings, metrics and webhooks."""

from __future__ import annotations

import ast
import json
import re
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic_core import PydanticUndefined

import loyalty.app
from loyalty.connectors import generic
from loyalty.errors import LoyaltyError
from loyalty.settings import Settings

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "docs" / "reference"
CODE = re.compile(r"[A-Z]+(?:_[A-Z]+)+")
LIMITED = "LimitExceeded"
REFUSERS = {
    "AuthenticationFailed", "Refused", "public_error", "refused", "refusal", "request_errors",
    LIMITED,
}  # fmt: skip
"""What makes an error with a code where it is called; a limit's is written without LIMIT_."""


def text(name: str) -> str:
    return (REFERENCE / f"{name}.md").read_text(encoding="utf-8")


def subclasses(cls: type[Any]) -> set[type[Any]]:
    return {cls}.union(*(subclasses(each) for each in cls.__subclasses__()))


def codes_in(tree: ast.AST) -> set[str]:
    """Codes that a module writes out: in a call that refuses, or as ``"code": …``."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            if name in REFUSERS:
                texts = [a.value for a in node.args if isinstance(a, ast.Constant)]
                prefix = "LIMIT_" if name == LIMITED else ""
                found |= {prefix + each for each in texts if is_code(each, bool(prefix))}
        elif isinstance(node, ast.arguments):
            optional = node.args[len(node.args) - len(node.defaults) :]
            for argument, default in zip(optional, node.defaults, strict=True):
                if argument.arg == "code" and isinstance(default, ast.Constant):
                    found.add(default.value)
        elif isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values, strict=True):
                is_named = isinstance(key, ast.Constant) and key.value == "code"
                if is_named and isinstance(value, ast.Constant) and is_code(value.value, False):
                    found.add(value.value)
    return found


def is_code(value: object, is_limit: bool) -> bool:
    return isinstance(value, str) and (value.isupper() if is_limit else bool(CODE.fullmatch(value)))


def test_every_code_has_its_heading_and_every_heading_its_code() -> None:
    assert loyalty.app  # Everything that defines an error is imported by now.
    ours = {
        each.code
        for each in subclasses(LoyaltyError)
        if each.__module__.startswith("loyalty") and each.code != LoyaltyError.code
    }
    sources = [*(ROOT / "graphql").rglob("*.py"), *(ROOT / "plugin/loyalty/web").glob("*.py")]
    written = set().union(*(codes_in(ast.parse(s.read_text(encoding="utf-8"))) for s in sources))
    listed = set(
        re.findall(r"LIMIT_[A-Z_]+", (ROOT / "graphql/loyalty_graphql/errors.py").read_text())
    )

    headings = re.findall(r"^### ([A-Z_]+)$", text("errors"), re.MULTILINE)

    assert sorted(ours | written | listed) == sorted(headings)


def test_every_code_says_whether_it_is_final_or_retryable() -> None:
    assert loyalty.app
    said: dict[str, list[str]] = {}
    for part in re.split(r"^## ", text("errors"), flags=re.MULTILINE)[1:]:
        intro, *sections = re.split(r"^### ", part, flags=re.MULTILINE)
        of_all = re.findall(r"\b(Final|Retryable)\b", intro)
        for section in sections:
            words = re.findall(r"\b(Final|Retryable)\b", section)
            said[section.split("\n", 1)[0]] = of_all or words

    unclear = {code: words for code, words in said.items() if len(words) != 1}
    ours = {each.code: each.retryable for each in subclasses(LoyaltyError)}
    wrong = {
        code: words
        for code, words in said.items()
        if code in ours and words != ["Retryable" if ours[code] else "Final"]
    }

    assert (unclear, wrong) == ({}, {})


def test_every_setting_is_listed_with_its_default() -> None:
    rows = re.findall(r"^\| `LOYALTY_([A-Z_]+)` \| (.+?) \|", text("settings"), re.MULTILINE)

    def shown(name: str) -> str:
        default = Settings.model_fields[name].default
        if default is PydanticUndefined:
            return "`loyalty.sqlite3` in the data folder"
        return f"`{default}`" if str(default) and default not in (None, ()) else "unset"

    names = list(Settings.model_fields)
    wanted = [(name.upper(), shown(name)) for name in names]
    assert rows == [
        (name, "unset" if name == "SECRET_KEY" else default) for name, default in wanted
    ]


@pytest.mark.anyio
async def test_every_metric_is_listed(shop) -> None:
    answer = (await shop.http.get("/metrics")).text
    served = set(re.findall(r"^# TYPE (\w+) ", answer, re.MULTILINE))
    ours = {name for name in served if not name.startswith("process_")}

    rows = re.findall(r"^\| `(loyalty_\w+)` \| (\w+) \|", text("metrics"), re.MULTILINE)

    kinds = dict(re.findall(r"^# TYPE (loyalty_\w+) (\w+)$", answer, re.MULTILINE))
    created = {name for name in ours if name.endswith("_created")}
    assert dict(rows) == {name: kind for name, kind in kinds.items() if name not in created}
    assert served != ours


def examples() -> list[tuple[str, str]]:
    """The events of the reference, by the heading that each stands under."""
    parts = re.split(r"^### `([a-z.]+)`$", text("webhooks"), flags=re.MULTILINE)[1:]
    found = []
    for heading, part in zip(parts[::2], parts[1::2], strict=True):
        found += [(heading, body) for body in re.findall(r"```json\n(.*?)```", part, re.DOTALL)]
    return found


def test_each_event_has_an_example() -> None:
    assert [heading for heading, _ in examples()] == [
        "order.paid",
        "order.refunded",
        "order.edited",
        "order.cancelled",
        "customer.changed",
        "product.changed",
    ]


@pytest.mark.anyio
async def test_the_examples_of_the_reference_are_taken_as_they_stand(shop) -> None:
    moments = re.findall(r'"occurredAt": "(.+?)"', text("webhooks"))
    shop.clock.set(max(map(datetime.fromisoformat, moments)))
    shop.north.now = shop.clock.now()
    sign: dict[str, Any] = {}
    program = re.search(r"```python\n(.*?)```", text("webhooks"), re.DOTALL)
    assert program is not None
    exec(program[1], sign)

    for number, (heading, body) in enumerate(examples()):
        headers = shop.north.headers(body, f"d-{number}")
        seconds = int(headers["webhook-timestamp"])
        by_hand = sign["signature"](shop.north.secret, f"d-{number}", seconds, body.encode())
        response = await shop.north.post(body, headers)

        assert generic.read(body.encode()).type == heading
        assert (response.status_code, response.json()) == (200, {"result": "TAKEN"}), heading
        assert by_hand == headers["webhook-signature"]


def test_every_key_of_an_example_is_explained() -> None:
    parts = re.split(r"^### `([a-z.]+)`$", text("webhooks"), flags=re.MULTILINE)[1:]
    for (heading, body), part in zip(examples(), parts[1::2], strict=True):
        explained = set(
            re.findall(
                r"`([A-Za-z.\[\]]+)`", "".join(re.findall(r"^\|(.+?)\|", part, re.MULTILINE))
            )
        )
        data = json.loads(body)["data"]
        keys = set(data) | {f"lines[].{key}" for key in data.get("lines", [{}])[0]}
        assert keys <= explained, heading
