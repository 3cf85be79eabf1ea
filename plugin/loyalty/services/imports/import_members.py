"""Members of a file as commands: enrolled, or updated where they are enrolled already."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from loyalty.connectors.members import MemberReading, ReadMember
from loyalty.connectors.piece import Block
from loyalty.domain.books.ledger import instant
from loyalty.errors import BadInput, LoyaltyError
from loyalty.services.books.desk import Desk, Idempotent, Needs
from loyalty.services.imports.import_run import Place, Tally
from loyalty.services.members.members import Enrol, Profile


@dataclass(frozen=True, slots=True)
class ImportMember:
    """Enrols one member of a file and notes what became of it."""

    enrol: Enrol
    place: Place

    @property
    def tenant_id(self) -> int:
        return self.enrol.tenant_id

    @property
    def idempotent(self) -> Idempotent | None:
        return None

    @property
    def at(self) -> datetime | None:
        return self.enrol.at

    def needs(self) -> Needs:
        return self.enrol.needs()

    def decide(self, desk: Desk) -> dict[str, Any]:
        self.place.begin()
        if desk.members[desk.names[self.enrol.external_id]]["state"] != "PROSPECT":
            self.place.found()
        try:
            return self.enrol.decide(desk)
        except LoyaltyError as refusal:
            self.place.refuse(refusal.code.lower(), refusal.message)
            raise


class MemberTaking:
    """How a file of members is taken in."""

    def __init__(self, tenant_id: int, reading: MemberReading) -> None:
        self.reading = reading
        self._tenant_id = tenant_id

    async def commands(self, block: Block, tally: Tally) -> list[ImportMember]:
        """A command for each member whose profile can be."""
        commands = []
        for position, read in enumerate(block.items):
            place = Place(tally, position, read.row, read.line, 1, f"member {read.external_id}")
            try:
                commands.append(ImportMember(self._enrol(read), place))
            except BadInput as problem:
                place.refuse("profile_unusable", problem.message)
        return commands

    def _enrol(self, read: ReadMember) -> Enrol:
        joined = read.joined_micros
        return Enrol(
            self._tenant_id,
            None,
            read.external_id,
            Profile(read.profile, read.consents).checked(),
            joined_at=None if joined is None else instant(joined),
            or_update=True,
            # Enrolling moves no value, so nothing is settled: orders of the past may follow.
            at=instant(0),
        )
