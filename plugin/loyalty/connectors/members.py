"""A file of members, one row each."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

from loyalty.connectors.cells import instant_of, name_of, text_of, yes_or_no
from loyalty.connectors.mapping import Mapping
from loyalty.connectors.piece import Block, RowReader

MEMBER_COLUMNS: Final = {
    "member": True,
    "name": False,
    "email": False,
    "locale": False,
    "birthday": False,
    "joinedAt": False,
    "consentEmail": False,
    "consentSms": False,
    "consentProfiling": False,
}
"""Our columns of a file of members; whether each is required."""

_PROFILE: Final = {"name": 200, "email": 320, "locale": 35, "birthday": 10}
_CONSENTS: Final = {"consentEmail": "email", "consentSms": "sms", "consentProfiling": "profiling"}


class ReadMember(NamedTuple):
    """A member as the file has it. What the file leaves empty is in neither table."""

    external_id: str
    profile: dict[str, str | None]
    consents: dict[str, bool]
    joined_micros: int | None
    row: int
    line: str


@dataclass(frozen=True, slots=True)
class MemberReading:
    """How to read a file of members; see ``orders.OrderReading``."""

    path: Path
    mapping: Mapping
    zone: str
    shift_micros: int
    last: datetime
    rows_max: int

    def reader(self) -> RowReader:
        """Raises BadInput when the file cannot be read."""
        zone = self.mapping.zone or self.zone
        joined = instant_of("joinedAt", zone, shift_micros=self.shift_micros, last=self.last)
        meanings: dict[str, Any] = {
            "member": lambda _: name_of("member"),
            "joinedAt": lambda _: joined,
        }
        for ours, length_max in _PROFILE.items():
            meanings[ours] = lambda _, ours=ours, most=length_max: text_of(ours, most)
        for ours in _CONSENTS:
            meanings[ours] = lambda _, ours=ours: yes_or_no(ours)
        return RowReader(self.path, self.mapping, MEMBER_COLUMNS, meanings)

    def blocks(self, skip: int) -> Iterator[Block]:
        """The members after the first ``skip`` rows."""
        return self.reader().blocks(skip, self.rows_max, _member)


def _member(row: int, line: str, values: dict[str, Any]) -> ReadMember:
    return ReadMember(
        values["member"],
        {ours: values[ours] for ours in _PROFILE if values[ours] is not None},
        {name: values[ours] for ours, name in _CONSENTS.items() if values[ours] is not None},
        values["joinedAt"],
        row,
        line,
    )
