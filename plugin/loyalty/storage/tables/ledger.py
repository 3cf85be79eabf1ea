"""The ledger: transactions and entries are append-only; lots and accounts are their sums."""

from tortoise import fields
from tortoise.models import Model

from loyalty.storage.fields import InstantField, Uncommented


class TransactionRow(Model, metaclass=Uncommented):
    """Append-only. See ``domain.ledger.Transaction``."""

    id = fields.BigIntField(primary_key=True, generated=False)
    tenant_id = fields.IntField()
    member_id = fields.BigIntField()
    seq = fields.BigIntField()
    kind = fields.CharField(16)
    order_id = fields.BigIntField(null=True)
    reservation_id = fields.BigIntField(null=True)
    refund_id = fields.BigIntField(null=True)
    reason = fields.CharField(200, null=True)
    ruleset_version = fields.IntField()
    effective_at = InstantField()
    booked_at = InstantField()
    hash = fields.BinaryField()

    class Meta(Model.Meta):
        table = "ledger_transaction"
        unique_together = (("tenant_id", "member_id", "seq"),)


class EntryRow(Model, metaclass=Uncommented):
    """Append-only. ``available_at`` and ``expires_at`` only on the entry that opens a lot."""

    id = fields.BigIntField(primary_key=True, generated=False)
    tenant_id = fields.IntField()
    transaction_id = fields.BigIntField()
    account = fields.CharField(16)
    unit = fields.CharField(64)
    amount = fields.BigIntField()
    lot_id = fields.BigIntField(null=True)
    available_at = InstantField(null=True)
    expires_at = InstantField(null=True)

    class Meta(Model.Meta):
        table = "ledger_entry"


class AccountRow(Model, metaclass=Uncommented):
    """A member's balance of one unit: the sum of its entries; ``deficit`` is owed."""

    id = fields.BigIntField(primary_key=True, generated=False)
    tenant_id = fields.IntField()
    member_id = fields.BigIntField()
    unit = fields.CharField(64)
    balance = fields.BigIntField()
    deficit = fields.BigIntField()

    class Meta(Model.Meta):
        table = "account"
        unique_together = (("tenant_id", "member_id", "unit"),)


class LotRow(Model, metaclass=Uncommented):
    """See ``domain.lots.Lot``; ``ends_at`` is ``expires_at`` or the end of time."""

    id = fields.BigIntField(primary_key=True, generated=False)
    tenant_id = fields.IntField()
    member_id = fields.BigIntField()
    unit = fields.CharField(64)
    amount = fields.BigIntField()
    remaining = fields.BigIntField()
    reversed = fields.BigIntField()
    expired = fields.BigIntField()
    earned_at = InstantField()
    available_at = InstantField()
    ends_at = InstantField()
    order_id = fields.BigIntField(null=True)

    class Meta(Model.Meta):
        table = "lot"


class LotReversalRow(Model, metaclass=Uncommented):
    """Append-only: how much of a lot came to count for no tier, or (below zero) to count again."""

    id = fields.BigIntField(primary_key=True, generated=False)
    tenant_id = fields.IntField()
    lot_id = fields.BigIntField()
    amount = fields.BigIntField()
    effective_at = InstantField()
    booked_at = InstantField()

    class Meta(Model.Meta):
        table = "lot_reversal"


class NoteRow(Model, metaclass=Uncommented):
    """What was said with a transaction; ``id`` is the transaction's.

    Free text and callers' keys may name a person, so they stand outside the append-only ledger.
    """

    id = fields.BigIntField(primary_key=True, generated=False)
    tenant_id = fields.IntField()
    client = fields.CharField(200, null=True)
    idempotency_key = fields.CharField(128, null=True)
    reason = fields.CharField(200, null=True)

    class Meta(Model.Meta):
        table = "transaction_note"


class RootRow(Model, metaclass=Uncommented):
    """Append-only: what the whole ledger of a tenant came to at the end of a day."""

    id = fields.BigIntField(primary_key=True, generated=False)
    tenant_id = fields.IntField()
    day = fields.CharField(10)
    root = fields.BinaryField()
    holders = fields.BigIntField()
    transactions = fields.BigIntField()
    made_at = InstantField()

    class Meta(Model.Meta):
        table = "ledger_root"
        unique_together = (("tenant_id", "day"),)
