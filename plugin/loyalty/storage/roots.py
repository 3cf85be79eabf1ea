"""Statements about the roots of days: closing a day, the ends of chains, the roots made."""

from loyalty.storage.statements import Sql

# A unit of work reads this mark first of all, and books nothing before it.
CLOSE = Sql(
    """UPDATE tenant SET ledger_closed_until = $2
        WHERE id = $1 AND ledger_closed_until < $2 RETURNING id"""
)
CLOSED_UNTIL = Sql("SELECT ledger_closed_until FROM tenant WHERE id = $1")
# Transactions under way, as CREATE INDEX CONCURRENTLY finds them: every one holds the lock of its
# own virtual id, and nothing of that is hidden from other roles. SQLite has one writer at a time.
UNDER_WAY = Sql(
    """SELECT l.virtualtransaction FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
        WHERE l.locktype = 'virtualxid' AND l.granted AND l.pid <> pg_backend_pid()
          AND a.datid = (SELECT oid FROM pg_database WHERE datname = current_database())""",
    sqlite="SELECT 1 WHERE 1 = 0",
)
# Where each holder's chain ends now, and when that was last touched.
CHAIN_ENDS = Sql(
    """SELECT id, seq, hash, booked_at FROM member
        WHERE tenant_id = $1 AND id > $2 AND seq > 0 ORDER BY id LIMIT $3"""
)
ENDS_BEFORE = Sql(
    """SELECT t.member_id, t.seq, t.hash
         FROM (SELECT member_id, MAX(seq) AS seq FROM ledger_transaction
                WHERE tenant_id = $1 AND member_id = ANY($2::bigint[]) AND booked_at < $3
                GROUP BY member_id) last
         JOIN ledger_transaction t
           ON t.tenant_id = $1 AND t.member_id = last.member_id AND t.seq = last.seq"""
)
ROOTS = Sql(
    """SELECT day, root, holders, transactions, made_at FROM ledger_root
        WHERE tenant_id = $1 ORDER BY day"""
)
NEWEST = Sql(
    """SELECT day, root, holders, transactions, made_at FROM ledger_root
        WHERE tenant_id = $1 AND day < $2 ORDER BY day DESC LIMIT $3"""
)
LATEST = Sql(
    "SELECT day, root FROM ledger_root WHERE tenant_id = $1 AND day < $2 ORDER BY day DESC LIMIT 1"
)
FIRST_FROM = Sql(
    """SELECT day, root, holders, transactions, made_at FROM ledger_root
        WHERE tenant_id = $1 AND day >= $2 ORDER BY day LIMIT 1"""
)
