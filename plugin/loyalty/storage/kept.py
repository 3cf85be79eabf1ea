"""What a member kept of its orders, for statements that ask what was bought, and for how much."""

from loyalty.storage.statements import Sql

# ``o.refunds`` says what came back of the nets, the nets themselves are in ``o.context``; orders of
# an earlier release kept none there. Nearly all orders have no refunds, and nothing is parsed.
# What cost nothing is kept for as long as anything of the order is.
_NET = "l.amount_minor - l.discount_minor"
_LINE = f"""(o.refunds IS NULL
             OR coalesce((o.refunds::jsonb #>> ARRAY['booked', 'by_line', l.line::text])::bigint, 0)
              < greatest(coalesce((o.context::jsonb #>> ARRAY['facts', 'lines', l.line::text, '3']
                                  )::bigint, {_NET}), 1))"""
_LINE_SQLITE = f"""(o.refunds IS NULL
             OR coalesce(json_extract(o.refunds, '$.booked.by_line[' || l.line || ']'), 0)
              < max(coalesce(json_extract(o.context, '$.facts.lines[' || l.line || '][3]'),
                             {_NET}), 1))"""
# Lines that a change of the order replaced are not in its total, and came back all the same.
_MINOR = """(CASE WHEN o.refunds IS NULL THEN o.total_minor ELSE
              coalesce((SELECT SUM((line ->> 3)::bigint) FROM jsonb_array_elements(
                          o.context::jsonb #> ARRAY['facts', 'lines']) line)
                       + (o.context::jsonb #>> ARRAY['facts', 'shipping', '3'])::bigint,
                       o.total_minor)
              - coalesce((o.refunds::jsonb #>> ARRAY['booked', 'value_minor'])::bigint, 0) END)"""
_MINOR_SQLITE = """(CASE WHEN o.refunds IS NULL THEN o.total_minor ELSE
              coalesce((SELECT SUM(json_extract(value, '$[3]'))
                          FROM json_each(o.context, '$.facts.lines'))
                       + json_extract(o.context, '$.facts.shipping[3]'), o.total_minor)
              - coalesce(json_extract(o.refunds, '$.booked.value_minor'), 0) END)"""


def of_what_was_kept(text: str) -> Sql:
    """The statement, with ``{kept}`` standing for: the line ``l`` of the order ``o`` did not come
    back whole; and ``{kept_minor}`` for what the order came to, less what came back.
    """
    sqlite = text.replace("{kept}", _LINE_SQLITE).replace("{kept_minor}", _MINOR_SQLITE)
    postgres = text.replace("{kept}", _LINE).replace("{kept_minor}", _MINOR)
    return Sql(postgres, sqlite=Sql(sqlite).sqlite)
