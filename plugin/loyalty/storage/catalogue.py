"""Statements about products."""

from loyalty.storage.statements import Sql

PRODUCT_COLUMNS = (
    "id", "external_id", "name", "category", "department", "type", "brand", "image_url",
    "price_minor", "currency", "cost_minor", "stock", "tiers", "tiers_until", "invented",
    "is_active",
)  # fmt: skip
_PRODUCT = ", ".join(f"p.{name}" for name in PRODUCT_COLUMNS)

# ``tiers`` with a comma at each end holds ``,code,`` exactly where it names the code, for a code
# has no comma. A guest's code is empty, and nothing holds two commas in a row. From ``tiers_until``
# on everybody may see it.
_SEEN_BY = (
    "(p.tiers = '' OR strpos(',' || p.tiers || ',', ',' || {tier}::text || ',') > 0"
    " OR p.tiers_until <= {now}::bigint)"
)


def _with_strpos(text: str) -> Sql:
    """The statement; SQLite calls PostgreSQL's ``strpos`` ``instr``."""
    return Sql(text, sqlite=Sql(text.replace("strpos(", "instr(")).sqlite)


BY_NAME = Sql(
    f"SELECT {_PRODUCT} FROM product p WHERE p.tenant_id = $1 AND p.external_id = ANY($2::text[])"
)
BY_ID = Sql(f"SELECT {_PRODUCT} FROM product p WHERE p.tenant_id = $1 AND p.id = ANY($2::bigint[])")
# $3 category, $4 what name, brand or id contain (None: all), $5 the viewer's tier, $6 whether to
# list what no shopper sees, $8 the present moment.
LIST = _with_strpos(
    f"""SELECT {_PRODUCT} FROM product p
         WHERE p.tenant_id = $1 AND p.id > $2
           AND ($3::text IS NULL OR p.category = $3::text)
           AND ($4::text IS NULL OR strpos(
                  lower(p.name || ' ' || coalesce(p.brand, '') || ' ' || p.external_id),
                  lower($4::text)) > 0)
           AND ($6::boolean OR (p.is_active AND {_SEEN_BY.format(tier="$5", now="$8")}))
         ORDER BY p.id LIMIT $7"""
)
# What of a ranking may be answered to a viewer of tier $3 at $4, and the revision it was read at.
ANSWERABLE = _with_strpos(
    f"""SELECT {_PRODUCT}, (SELECT catalogue_version FROM tenant WHERE id = $1) FROM product p
         WHERE p.tenant_id = $1 AND p.external_id = ANY($2::text[]) AND p.is_active
           AND (p.stock IS NULL OR p.stock > 0)
           AND {_SEEN_BY.format(tier="$3", now="$4")}"""
)
# $3 whether to look at the categories $4; $5 and $6 a range of prices in the currency $7, None for
# no limit; $8 the present moment. What has no price is in no range.
_MATCHES = """(NOT $3::boolean OR p.category = ANY($4::text[]))
           AND ($5::bigint IS NULL OR (p.currency = $7 AND p.price_minor >= $5::bigint))
           AND ($6::bigint IS NULL OR (p.currency = $7 AND p.price_minor <= $6::bigint))"""
_SEEN_NOW = _SEEN_BY.format(tier="$2", now="$8")
# As ANSWERABLE, of what the filter leaves; $9 the least stock, None for any.
ANSWERABLE_MATCHING = _with_strpos(
    f"""SELECT {_PRODUCT}, (SELECT catalogue_version FROM tenant WHERE id = $1) FROM product p
         WHERE p.tenant_id = $1 AND p.external_id = ANY($10::text[]) AND p.is_active
           AND (p.stock IS NULL OR p.stock > 0) AND {_SEEN_NOW} AND {_MATCHES}
           AND ($9::bigint IS NULL OR p.stock IS NULL OR p.stock >= $9::bigint)"""
)
# All that a filter leaves, up to $9 of them, whatever is in stock: that changes without a revision.
MATCHING = _with_strpos(
    f"""SELECT p.external_id FROM product p
         WHERE p.tenant_id = $1 AND p.is_active AND {_SEEN_NOW} AND {_MATCHES} LIMIT $9"""
)
# Usually few, while those that a tier may see are nearly the whole catalogue.
HIDDEN = _with_strpos(
    f"""SELECT p.external_id, p.tiers_until FROM product p
         WHERE p.tenant_id = $1
           AND NOT (p.is_active AND coalesce({_SEEN_BY.format(tier="$2", now="$3")}, FALSE))"""
)

LOCK = Sql(
    f"""SELECT {_PRODUCT}, p.changed_at FROM product p
         WHERE p.tenant_id = $1 AND p.external_id = ANY($2::text[]) ORDER BY p.id FOR UPDATE"""
)
# And how many products have become everybody's by $2: nobody writes a revision for that.
REVISION = Sql(
    """SELECT catalogue_version,
              (SELECT count(*) FROM product p WHERE p.tenant_id = $1 AND p.tiers_until <= $2)
         FROM tenant WHERE id = $1"""
)
NEXT_REVISION = Sql(
    """UPDATE tenant SET catalogue_version = catalogue_version + 1 WHERE id = $1
       RETURNING catalogue_version"""
)
