"""Statements about rulesets; the tenant's row points at the current version."""

from loyalty.storage.statements import Sql

CURRENT_VERSION = Sql("SELECT ruleset_version FROM tenant WHERE id = $1")
LOCK_TENANT = Sql("SELECT ruleset_version FROM tenant WHERE id = $1 FOR UPDATE")
HASH = Sql("SELECT hash, published_at FROM ruleset WHERE tenant_id = $1 AND version = $2")
SOURCE = Sql("SELECT source FROM ruleset WHERE tenant_id = $1 AND version = $2")
PUBLISHED = Sql(
    """SELECT version, hash, source, published_at, published_by FROM ruleset
        WHERE tenant_id = $1 AND version = $2"""
)
HISTORY = Sql(
    """SELECT version, hash, source, published_at, published_by FROM ruleset
        WHERE tenant_id = $1 ORDER BY version DESC LIMIT $2"""
)
POINT_AT = Sql("UPDATE tenant SET ruleset_version = $2 WHERE id = $1 RETURNING id")
