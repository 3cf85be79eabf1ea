"""Statements about tenants, token issuers, API keys and webhook sources."""

from loyalty.storage.statements import Sql

TENANT_BY_CODE = Sql("SELECT id, code, name FROM tenant WHERE code = $1")
TENANTS = Sql("SELECT id, code, name FROM tenant ORDER BY id")
ISSUER = Sql(
    "SELECT tenant_id, algorithm, public_key, audience FROM token_issuer WHERE issuer = $1"
)
ISSUER_OF_TENANT = Sql(
    """SELECT issuer, algorithm, audience FROM token_issuer
        WHERE tenant_id = $1 AND algorithm = 'HS256' ORDER BY id LIMIT 1"""
)
ISSUERS = Sql(
    """SELECT id, issuer, algorithm, audience, public_key FROM token_issuer
        WHERE tenant_id = $1 ORDER BY id"""
)
API_KEY = Sql(
    """SELECT tenant_id, id, name, secret_hash, scopes, revoked_at FROM api_key
        WHERE key_id = $1"""
)
API_KEYS = Sql(
    """SELECT id, key_id, name, scopes, created_at, revoked_at FROM api_key
        WHERE tenant_id = $1 ORDER BY id"""
)
REVOKE_KEY = Sql(
    """UPDATE api_key SET revoked_at = $3
        WHERE tenant_id = $1 AND key_id = $2 AND revoked_at IS NULL RETURNING id"""
)
WEBHOOK_SOURCE = Sql(
    "SELECT tenant_id, kind FROM webhook_source WHERE source = $1 AND revoked_at IS NULL"
)
WEBHOOK_SOURCES = Sql(
    """SELECT source, kind, created_at FROM webhook_source
        WHERE tenant_id = $1 AND revoked_at IS NULL ORDER BY id"""
)
