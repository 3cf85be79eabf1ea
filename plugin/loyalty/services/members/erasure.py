"""Erase a member: the ledger stays whole, and nothing in it or beside it says whose it was.

The ledger and its chain hold row ids, numbers and codes alone (decision 28), so erasing changes no
entry. What it does book are endings: open holds go back, points left are forfeited, debts written
off, so that nobody's balance remains.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from loyalty.errors import NotFound
from loyalty.services.audit import Action, Subject, deed, noted
from loyalty.services.books.desk import Desk, Idempotent, Needs
from loyalty.services.checkout.reservations import release_open_of
from loyalty.services.members.merging import set_member
from loyalty.services.members.subjects import subject_of, subject_of_order
from loyalty.storage import erasure as erasure_sql
from loyalty.storage import merges as sql
from loyalty.storage.personal_data import eraser
from loyalty.storage.statements import Unit

Outcome = dict[str, Any]

OPERATION = "memberErase"
ERASED = "ERASED"
PSEUDONYM = "erased-"
"""Before random characters, what an erased member's external id becomes."""
NOTHING_KNOWN: Mapping[str, Any] = {
    "state": ERASED,
    "name": None,
    "email": None,
    "locale": None,
    "birthday": None,
    "consent_email": False,
    "consent_sms": False,
    "consent_profiling": False,
    "consents_at": None,
    "profile_at": None,
    "state_reason": None,
}


@dataclass(frozen=True, slots=True)
class Erase:
    """Erase a member, and with it everybody who was merged into it: they are one person."""

    tenant_id: int
    idempotent: Idempotent | None
    external_id: str
    by: str
    at: datetime | None = None

    def needs(self) -> Needs:
        name = (self.external_id,)
        return Needs(members=name, own=name, open_of=name)

    def prepare(self, desk: Desk) -> Unit[None]:
        """Read what has to be rewritten row by row."""
        more, ids = desk.loaded.more, sorted(desk.members)
        if not ids:
            return
        more["reservations"] = [
            {"id": id, "quote": quote}
            for id, _, _, quote in (yield sql.RESERVATIONS_OF(self.tenant_id, ids))
        ]
        codes = yield sql.CODES_OF(self.tenant_id, ids)
        more["codes"] = [{"id": id, "code": code} for id, code in codes]
        more["orders"], more["adjustment"] = [], []
        for member_id in ids:
            for row in (yield sql.PROPOSALS_OF(self.tenant_id, member_id)):
                more["adjustment"].append({"id": row[0]})
            for row in (yield sql.ORDERS_OF(self.tenant_id, member_id)):
                more["orders"].append(dict(zip(sql.ORDER_COLUMNS, row, strict=True)))
        names = [*(yield erasure_sql.ORDERS_OF(self.tenant_id, ids))]
        names += yield erasure_sql.ORDERS_AWAITED(self.tenant_id)
        more["told"] = [{"order": name} for (name,) in names]

    def decide(self, desk: Desk) -> Outcome:
        if self.external_id not in desk.names:
            raise NotFound("member", self.external_id, field=("input", "externalId"))
        member_id = desk.names[self.external_id]
        if desk.members[member_id]["state"] == ERASED:
            return {"member": member_id, "erased": False, "forfeited": {}}
        book = desk.books[member_id]
        release_open_of(desk, member_id)
        forfeited = book.forfeit(book.at)
        subjects = []
        for id, row in list(desk.members.items()):
            subjects.append(subject_of(self.tenant_id, row["external_id"]))
            pseudonym = PSEUDONYM + secrets.token_hex(16)
            set_member(desk, id, external_id=pseudonym, **NOTHING_KNOWN)
            desk.touch(id, "erased")
        codes = {row["code"]: f"ERASED-{row['id']}" for row in desk.loaded.more["codes"]}
        for reservation in desk.loaded.more["reservations"]:
            quote = anonymous_quote(reservation["quote"], codes)
            desk.update("reservation", reservation["id"], cart_id="erased", quote=quote)
        for order in desk.loaded.more["orders"]:
            desk.update(
                "shop_order", order["id"], context=anonymous_context(order["context"], codes)
            )
        for proposal in desk.loaded.more["adjustment"]:
            change = {"state": "DECLINED", "decided_by": self.by, "decided_at": desk.now}
            desk.update("adjustment", proposal["id"], **change)
        subjects += [
            subject_of_order(self.tenant_id, told["order"]) for told in desk.loaded.more["told"]
        ]
        for row in desk.loaded.more["codes"]:
            code, instead = (f'"{text}"' for text in (row["code"], codes[row["code"]]))
            for recode in (erasure_sql.RECODE_ORDERS, erasure_sql.RECODE_QUOTES):
                ids = sorted(desk.members)
                desk.after.append(recode(self.tenant_id, row["id"], ids, code, instead))
        done = deed(self.by, Action.MEMBER_ERASE, Subject.MEMBER, member_id, forfeited=forfeited)
        noted(desk, done)
        desk.after += eraser(self.tenant_id, sorted(desk.members), subjects)
        return {"member": member_id, "erased": True, "forfeited": forfeited}


def anonymous_quote(text: str, codes: Mapping[str, str]) -> str:
    """A stored quote without its member, its cart's name, its codes, and the hash over them.

    Args:
        codes: of the member's own coupons, with what stands for each from now on.
    """
    quote = orjson.loads(_recoded(text, codes))
    quote |= {"member": None, "hash": ""}
    quote["cart"] |= {"id": "erased"}
    quote["choice"] |= {"codes": []}
    return orjson.dumps(quote).decode()


def anonymous_context(text: str, codes: Mapping[str, str]) -> str:
    """An order's context without the hash of its quote, which covers the member's id."""
    context = orjson.loads(_recoded(text, codes))
    if isinstance(context, dict) and "quote" in context:
        context["quote"] = None
    return orjson.dumps(context).decode()


def _recoded(text: str, codes: Mapping[str, str]) -> str:
    for code, instead in codes.items():
        text = text.replace(f'"{code}"', f'"{instead}"')
    return text
