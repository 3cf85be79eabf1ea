"""What is wrong with a file, told by path: one line each, found and wanted."""

import json
import re
import unicodedata
from dataclasses import dataclass
from datetime import date, time

PROBLEMS_MAX = 100
"""Problems told one by one; more are only counted."""

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Decimals:
    """A number with decimals as written: never turned into a float, always refused."""

    text: str


class Problems:
    """What is wrong with one file, in the order in which it was noticed."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._paths: set[str] = set()
        self._left_out = 0

    def add(self, path: str, text: str) -> None:
        self._paths.add(path)
        if len(self._lines) < PROBLEMS_MAX:
            self._lines.append(printable(f"{path}: {text}"))
        else:
            self._left_out += 1

    def unwanted(self, path: str, found: object, wanted: str) -> None:
        self.add(path, f"found {shown(found)}, wanted {wanted}")

    def at(self, path: str) -> bool:
        """Whether this very path has a problem, so that nothing can be concluded from it."""
        return path in self._paths

    def __len__(self) -> int:
        return len(self._lines) + self._left_out

    @property
    def paths(self) -> frozenset[str]:
        return frozenset(self._paths)

    def lines(self) -> tuple[str, ...]:
        more = (f"and {self._left_out} more problems",) if self._left_out else ()
        return (*self._lines, *more)


def joined(path: str, key: str) -> str:
    """The path of a key in a table; ``""`` is the path of the file itself."""
    name = key if _BARE_KEY.fullmatch(key) else shown(key)
    return f"{path}.{name}" if path else name


def shown(found: object) -> str:
    """A value as a message tells it: short, on one line, in TOML's words."""
    if isinstance(found, str):
        cut = found if len(found) <= 60 else found[:60] + "…"
        return printable(json.dumps(cut, ensure_ascii=False))
    if isinstance(found, bool):
        return str(found).lower()
    if isinstance(found, int):
        # Python refuses to print integers of thousands of digits, and nobody would read them.
        return str(found) if found.bit_length() <= 128 else "a number of more than 38 digits"
    if isinstance(found, Decimals):
        return found.text[:60]
    if isinstance(found, date | time):
        return found.isoformat()
    if isinstance(found, list):
        return f"a list of {len(found)}"
    return "a table"


def printable(text: str) -> str:
    """The text with control characters, line breaks and lone surrogates written out."""
    if text.isprintable():
        return text
    return "".join(
        f"\\u{ord(char):04x}" if unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp") else char
        for char in text
    )
