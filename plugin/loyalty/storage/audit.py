"""Statements about the audit trail."""

from loyalty.storage.statements import Sql

AUDIT_COLUMNS = ("id", "at", "actor", "action", "subject_kind", "subject_id", "detail")
# Whatever is not asked for is null. The newest first, by ids that carry the time.
EVENTS = Sql(
    f"""SELECT {", ".join(AUDIT_COLUMNS)} FROM audit_event
         WHERE tenant_id = $1 AND id < $2
           AND ($3::text IS NULL OR actor = $3) AND ($4::text IS NULL OR action = $4)
           AND ($5::text IS NULL OR subject_kind = $5)
           AND ($6::text IS NULL OR subject_id = $6)
           AND ($7::bigint IS NULL OR at >= $7) AND ($8::bigint IS NULL OR at < $8)
         ORDER BY id DESC LIMIT $9"""
)
