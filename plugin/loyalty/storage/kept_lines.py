"""Lines of orders that a member kept, for statements that ask what was bought."""

from loyalty.storage.statements import Sql

# ``o.refunds`` says what came back of each line's net, the net itself is in ``o.context``; orders
# of an earlier release kept none there. Nearly all orders have no refunds, and nothing is parsed.
# What cost nothing is kept for as long as anything of the order is.
_NET = "l.amount_minor - l.discount_minor"
_KEPT = f"""(o.refunds IS NULL
             OR coalesce((o.refunds::jsonb #>> ARRAY['booked', 'by_line', l.line::text])::bigint, 0)
              < greatest(coalesce((o.context::jsonb #>> ARRAY['facts', 'lines', l.line::text, '3']
                                  )::bigint, {_NET}), 1))"""
_KEPT_SQLITE = f"""(o.refunds IS NULL
             OR coalesce(json_extract(o.refunds, '$.booked.by_line[' || l.line || ']'), 0)
              < max(coalesce(json_extract(o.context, '$.facts.lines[' || l.line || '][3]'),
                             {_NET}), 1))"""


def of_kept_lines(text: str) -> Sql:
    """The statement, with ``{kept}`` standing for: the line ``l`` of the order ``o`` did not come
    back whole.
    """
    sqlite = Sql(text.replace("{kept}", _KEPT_SQLITE)).sqlite
    return Sql(text.replace("{kept}", _KEPT), sqlite=sqlite)
