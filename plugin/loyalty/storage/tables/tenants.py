"""Tenants, their rulesets, and who may call."""

from tortoise import fields
from tortoise.models import Model

from loyalty.storage.fields import InstantField, Uncommented


class TenantRow(Model, metaclass=Uncommented):
    """``ledger_closed_until``: nothing is booked before it any more; see ``services.roots``.

    ``attributed_until``: up to when orders were looked at; see ``services.attribution``.
    """

    id = fields.IntField(primary_key=True, generated=False)
    code = fields.CharField(64, unique=True)
    name = fields.CharField(200)
    ruleset_version = fields.IntField(default=0)
    catalogue_version = fields.BigIntField(default=0)
    created_at = InstantField()
    ledger_closed_until = InstantField(default=0)
    attributed_until = InstantField(default=0)

    class Meta(Model.Meta):
        table = "tenant"


class RulesetRow(Model, metaclass=Uncommented):
    """Append-only. ``id`` is the tenant's id * 1,000,000 + version."""

    id = fields.BigIntField(primary_key=True, generated=False)
    tenant_id = fields.IntField()
    version = fields.IntField()
    source = fields.TextField()
    hash = fields.CharField(64)
    published_at = InstantField()
    published_by = fields.CharField(200)

    class Meta(Model.Meta):
        table = "ruleset"
        unique_together = (("tenant_id", "version"),)


class TokenIssuerRow(Model, metaclass=Uncommented):
    """Who mints shopper tokens. An HS256 secret is derived from the server's key, never stored."""

    id = fields.BigIntField(primary_key=True, generated=False)
    tenant_id = fields.IntField()
    issuer = fields.CharField(200, unique=True)
    algorithm = fields.CharField(16)
    public_key = fields.TextField(null=True)
    audience = fields.CharField(200, null=True)

    class Meta(Model.Meta):
        table = "token_issuer"


class ApiKeyRow(Model, metaclass=Uncommented):
    id = fields.BigIntField(primary_key=True, generated=False)
    tenant_id = fields.IntField()
    key_id = fields.CharField(32, unique=True)
    name = fields.CharField(200)
    secret_hash = fields.CharField(64)
    scopes = fields.TextField()
    created_at = InstantField()
    revoked_at = InstantField(null=True)

    class Meta(Model.Meta):
        table = "api_key"


class WebhookSourceRow(Model, metaclass=Uncommented):
    """A sender of events; its signing secret is derived from the server's key and ``id``."""

    id = fields.BigIntField(primary_key=True, generated=False)
    tenant_id = fields.IntField()
    source = fields.CharField(64, unique=True)
    kind = fields.CharField(32)
    created_at = InstantField()
    revoked_at = InstantField(null=True)

    class Meta(Model.Meta):
        table = "webhook_source"


class IdLeaseRow(Model, metaclass=Uncommented):
    """The next node number for row ids; one row."""

    id = fields.IntField(primary_key=True, generated=False)
    next_node = fields.BigIntField()

    class Meta(Model.Meta):
        table = "id_lease"
