"""Lots as the JSON of orders names them: found, and led to other lots when members merge.

Row ids are far above any amount that money or points may have (``ids.py``), so a number in an
order's context is a lot exactly when it is one of the member's lots.
"""

import json
from collections.abc import Collection, Iterator, Mapping
from typing import Any


def named_lots(text: str | None, lots: Collection[int]) -> set[int]:
    """Which of ``lots`` an order's JSON names; None names none."""
    if text is None:
        return set()
    return {number for number in _numbers(json.loads(text)) if number in lots}


def renamed_lots(text: str | None, twins: Mapping[int, int]) -> str | None:
    """The same JSON with every lot in ``twins`` replaced by its twin."""
    if text is None:
        return None
    return json.dumps(_renamed(json.loads(text), twins), separators=(",", ":"), ensure_ascii=False)


def _numbers(value: Any) -> Iterator[int]:
    match value:
        case bool():
            return
        case int():
            yield value
        case str() if value.isdecimal():
            yield int(value)
        case list():
            for item in value:
                yield from _numbers(item)
        case dict():
            for key, item in value.items():
                yield from _numbers(key)
                yield from _numbers(item)


def _renamed(value: Any, twins: Mapping[int, int]) -> Any:
    match value:
        case bool():
            return value
        case int():
            return twins.get(value, value)
        case str() if value.isdecimal() and len(value) <= 19:
            # A key of an object is text, whatever it names.
            return str(twins.get(int(value), value))
        case list():
            return [_renamed(item, twins) for item in value]
        case dict():
            return {_renamed(key, twins): _renamed(item, twins) for key, item in value.items()}
    return value
