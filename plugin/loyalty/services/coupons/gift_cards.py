"""Gift cards: issue, block, find. Their money is in the ledger, under a holder of its own."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from loyalty.domain.books.ledger import Cause, LotTerms, instant
from loyalty.domain.codes import bare_gift_code, gift_code, shown_gift_code
from loyalty.domain.money import AMOUNT_MINOR_MAX, Money, digits
from loyalty.domain.units import gift_unit
from loyalty.errors import BadInput, NotFound
from loyalty.secrets import SecretKey
from loyalty.services.audit import COMMAND_LINE, Action, Subject, deed, noted
from loyalty.services.books.desk import Desk, Idempotent, Needs
from loyalty.services.books.door import Door, outcome_of
from loyalty.services.members.summary import Summaries
from loyalty.storage import quotas as sql
from loyalty.storage.database import Database

HOLDER = "\x1fgift:"
"""How the name of a gift card's holder begins. It cannot be printed, so no caller can name it."""

KIND = "GIFT_CARD"

Outcome = dict[str, Any]


@dataclass(frozen=True, slots=True)
class IssueGiftCard:
    """Put money on a new card. Only the hash of its code is ever stored."""

    tenant_id: int
    idempotent: Idempotent | None
    code_hash: str
    last4: str
    amount: Money
    expires_at: datetime | None
    issued_by: str
    at: datetime | None = None

    @property
    def holder(self) -> str:
        return HOLDER + self.code_hash[:48]

    def needs(self) -> Needs:
        return Needs(members=(self.holder,), enrols=(self.holder,))

    def decide(self, desk: Desk) -> Outcome:
        if self.amount.currency != desk.ruleset.currency:
            raise BadInput(
                f"found {self.amount.currency}, wanted {desk.ruleset.currency}, the program's "
                "currency",
                field=("input", "amount", "currencyCode"),
            )
        if self.expires_at is not None and self.expires_at <= desk.now:
            raise BadInput(
                f"found expiresAt {self.expires_at.isoformat()}, wanted the future",
                field=("input", "expiresAt"),
            )
        holder_id = desk.names[self.holder]
        desk.members[holder_id].update(kind=KIND, state="ACTIVE")
        book = desk.books[holder_id]
        book.accounts.is_member = False
        terms = LotTerms(book.at, self.expires_at)
        unit = gift_unit(self.amount.currency)
        book.earn([(unit, self.amount.minor, terms)], book.at, Cause())
        id = desk.insert(
            "gift_card",
            code_hash=self.code_hash,
            last4=self.last4,
            holder_id=holder_id,
            currency=self.amount.currency,
            initial_minor=self.amount.minor,
            state="ACTIVE",
            expires_at=self.expires_at,
            created_at=desk.now,
            created_by=self.issued_by,
        )
        desk.touch(holder_id, "issued")
        money = {"amount": self.amount.text(), "currency": self.amount.currency}
        noted(desk, deed(self.issued_by, Action.GIFT_CARD_ISSUE, Subject.GIFT_CARD, id, **money))
        return {"gift_card": id}


@dataclass(frozen=True, slots=True)
class SetGiftCardState:
    """Block a card, or let it pay again. What open checkouts hold of a blocked one stays held,
    and can not be redeemed."""

    tenant_id: int
    idempotent: Idempotent | None
    gift_card_id: int
    holder_id: int
    state: str
    by: str
    at: datetime | None = None

    def needs(self) -> Needs:
        return Needs(holders=(self.holder_id,))

    def decide(self, desk: Desk) -> Outcome:
        row = desk.loaded.gift_cards.get(self.holder_id)
        if row is None:
            raise NotFound("gift card")
        if row["state"] != self.state:
            desk.update("gift_card", self.gift_card_id, state=self.state)
            desk.see(desk.loaded.gift_cards, self.holder_id, row | {"state": self.state})
            desk.touch(self.holder_id, self.state.lower())
            is_block = self.state == "BLOCKED"
            action = Action.GIFT_CARD_BLOCK if is_block else Action.GIFT_CARD_UNBLOCK
            noted(desk, deed(self.by, action, Subject.GIFT_CARD, self.gift_card_id))
        return {"gift_card": self.gift_card_id}


@dataclass(frozen=True, slots=True)
class GiftCard:
    """A card as it stands. ``label`` is what may be shown of its code."""

    id: int
    holder_id: int
    label: str
    currency: str
    initial_minor: int
    available_minor: int
    held_minor: int
    state: str
    expires_at: datetime | None
    created_at: datetime
    created_by: str


@dataclass(frozen=True, slots=True)
class Issued:
    """A new card and, this once, its code."""

    code: str
    card: GiftCard
    replayed: bool


class GiftCards:
    """Gift cards as merchants see them."""

    def __init__(
        self, database: Database, door: Door, summaries: Summaries, key: SecretKey
    ) -> None:
        self._database = database
        self._door = door
        self._summaries = summaries
        self._key = key

    def hash_of(self, tenant_id: int, bare_code: str) -> str:
        """Under what a card is found: keyed, so that a copy of the database holds no code."""
        return self._key.derive("gift-card-code", str(tenant_id), bare_code).hex()

    async def issue(
        self,
        tenant_id: int,
        once: Idempotent,
        amount: Money,
        expires_at: datetime | None,
        issued_by: str,
    ) -> Issued:
        """Put money on a new card.

        The code is derived from the caller's key, so a repeat is told the same one although it
        is stored nowhere.

        Raises:
            BadInput: no amount, another currency than the program's, or an end that is past.
        """
        if not 1 <= amount.minor <= AMOUNT_MINOR_MAX:
            raise BadInput(
                f"found amount {amount.text()}, wanted more than 0", field=("input", "amount")
            )
        digits(amount.currency)
        raw = self._key.derive("gift-card", str(tenant_id), once.client, once.key, once.body_hash)
        code = gift_code(raw)
        command = IssueGiftCard(
            tenant_id, once, self.hash_of(tenant_id, code), code[-4:], amount, expires_at,
            issued_by,
        )  # fmt: skip
        verdict = await self._door.submit(command)
        outcome_of(verdict)
        card = await self.by_code(tenant_id, code)
        return Issued(shown_gift_code(code), card, verdict.replayed)

    async def set_state(
        self,
        tenant_id: int,
        once: Idempotent | None,
        gift_card_id: int,
        state: str,
        by: str = COMMAND_LINE,
    ) -> GiftCard:
        """Block a card (BLOCKED) or let it pay again (ACTIVE). Raises NotFound."""
        card = await self.by_id(tenant_id, gift_card_id)
        command = SetGiftCardState(tenant_id, once, gift_card_id, card.holder_id, state, by)
        outcome_of(await self._door.submit(command))
        return await self.by_id(tenant_id, gift_card_id)

    async def by_code(self, tenant_id: int, code: str) -> GiftCard:
        """Raises NotFound; what cannot be a code is not there either."""
        bare = bare_gift_code(code)
        rows = []
        if bare is not None:
            hashes = [self.hash_of(tenant_id, bare)]
            rows = await self._database.read(sql.GIFT_CARDS(tenant_id, hashes))
        if not rows:
            raise NotFound("gift card")
        return (await self._cards(tenant_id, rows))[0]

    async def by_id(self, tenant_id: int, gift_card_id: int) -> GiftCard:
        """Raises NotFound."""
        rows = await self._database.read(sql.GIFT_CARDS_LISTED(tenant_id, gift_card_id - 1, 1))
        if not rows or rows[0][0] != gift_card_id:
            raise NotFound("gift card")
        return (await self._cards(tenant_id, rows))[0]

    async def listed(self, tenant_id: int, first: int, after_id: int = 0) -> list[GiftCard]:
        """Cards in the sequence in which they were issued."""
        rows = await self._database.read(sql.GIFT_CARDS_LISTED(tenant_id, after_id, first))
        return await self._cards(tenant_id, rows)

    async def _cards(self, tenant_id: int, rows: Sequence[Sequence[Any]]) -> list[GiftCard]:
        holders = await self._summaries.holders(tenant_id, [row[3] for row in rows])
        cards = []
        for id, _, last4, holder_id, currency, initial, state, expires_at, made_at, by in rows:
            money = holders[holder_id].money(gift_unit(currency))
            cards.append(
                GiftCard(
                    id, holder_id, f"…{last4}", currency, initial,
                    money.available if money else 0,
                    money.held if money else 0,
                    state,
                    None if expires_at is None else instant(expires_at),
                    instant(made_at), by,
                )
            )  # fmt: skip
        return cards
