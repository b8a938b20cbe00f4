"""The pieces that statements on roll-ups share, put into `storage/sql/rollup.sql` by name."""

from functools import cache

from storage.queries import query

FINITE = "value > '-Infinity' AND value < 'Infinity'"
MERGED = """
    coalesce(min(part.low) FILTER (WHERE part.n > 0), 'NaN') AS low,
    coalesce(max(part.high) FILTER (WHERE part.n > 0), 'NaN') AS high,
    sum(part.total) AS total, sum(part.n)::int8 AS n, sum(part.empty)::int8 AS empty,
    coalesce(min(part.first_at) FILTER (WHERE part.n > 0), min(part.first_at)) AS first_at,
    coalesce((array_agg(part.first ORDER BY part.first_at) FILTER (WHERE part.n > 0))[1], 'NaN')
        AS first,
    coalesce(max(part.last_at) FILTER (WHERE part.n > 0), min(part.last_at)) AS last_at,
    coalesce((array_agg(part.last ORDER BY part.last_at DESC) FILTER (WHERE part.n > 0))[1], 'NaN')
        AS last,
    min(part.quality) AS quality"""
"""Several rows `part` as one."""
_EARLIER = "excluded.n > 0 AND (old.n = 0 OR excluded.first_at < old.first_at)"
_LATER = "excluded.n > 0 AND (old.n = 0 OR excluded.last_at >= old.last_at)"
TOGETHER = f"""
    low = least(old.low, excluded.low),
    high = coalesce(greatest(nullif(old.high, 'NaN'), nullif(excluded.high, 'NaN')), 'NaN'),
    total = old.total + excluded.total, n = old.n + excluded.n, empty = old.empty + excluded.empty,
    first_at = CASE WHEN {_EARLIER} THEN excluded.first_at ELSE old.first_at END,
    first = CASE WHEN {_EARLIER} THEN excluded.first ELSE old.first END,
    last_at = CASE WHEN {_LATER} THEN excluded.last_at ELSE old.last_at END,
    last = CASE WHEN {_LATER} THEN excluded.last ELSE old.last END,
    quality = least(old.quality, excluded.quality)"""
"""The row `excluded` added to the row `old`. NaN is above all numbers here, and means none."""
_AT = (
    "(SELECT value FROM sample WHERE sample.tag_id = grouped.tag_id AND sample.time = {at}"
    " AND sample.time >= %(from)s AND sample.time < %(to)s LIMIT 1)"
)
PIECES = {"finite": FINITE, "merged": MERGED, "together": TOGETHER}
TIMESCALE = PIECES | {
    "first": f"first(value, time) FILTER (WHERE {FINITE})",
    "last": f"last(value, time) FILTER (WHERE {FINITE})",
    "first_value": "first",
    "last_value": "last",
}
"""With TimescaleDB's aggregates."""
PLAIN = PIECES | {
    "first": "NULL::float8",
    "last": "NULL::float8",
    "first_value": _AT.format(at="grouped.first_at"),
    "last_value": _AT.format(at="grouped.last_at"),
}
"""With a look at the sample itself."""


@cache
def rollup_query(name: str, *, timescale: bool = False) -> bytes:
    """A statement of rollup.sql, whole."""
    text = query(name).decode()
    for piece, sql in (TIMESCALE if timescale else PLAIN).items():
        text = text.replace(f"{{{piece}}}", sql)
    return text.encode()
