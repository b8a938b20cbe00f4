"""Text and JSON as PostgreSQL can keep them: without NUL, without lone surrogates."""

from collections.abc import Iterable
from math import isfinite
from typing import Any

import msgspec
from psycopg.types.json import Json, Jsonb


def text(said: str) -> str:
    """`said` with NUL as U+FFFD and lone surrogates as "?": one odd sender must not stop all."""
    return said.replace("\x00", "\ufffd").encode("utf-8", "replace").decode("utf-8")


def optional_text(said: str | None) -> str | None:
    """As `text`; None stays None."""
    return None if said is None else text(said)


def jsonb(body: object) -> Jsonb:
    """`body` as a jsonb parameter: NaN and infinities become null, instants RFC 3339."""
    return Jsonb(body, dumps=_dumps)


def recordset(rows: Iterable[dict[str, object]]) -> Json:
    """Rows by the names of their columns, for json_populate_recordset: many rows in one statement.

    Texts as `text` has them, jsonb as `jsonb`; other real numbers by `real`."""
    return Json(list(rows), dumps=_dumps)


def real(value: float) -> float | str:
    """A real number in a `recordset`; NaN and infinities, which JSON does not have, as their
    names."""
    return value if isfinite(value) else str(value)


def cleaned(body: Any, *, packed: bool = False) -> Any:
    """Plain `body` with every text as `text` has it.

    packed: and with integers as text where they are beyond the 64 bit that MessagePack has.
    """
    if isinstance(body, str):
        return text(body)
    if isinstance(body, dict):
        return {
            cleaned(key, packed=packed): cleaned(value, packed=packed)
            for key, value in body.items()
        }
    if isinstance(body, list | tuple):
        return [cleaned(item, packed=packed) for item in body]
    if packed and isinstance(body, int) and not -(2**63) <= body < 2**64:
        return str(body)
    return body


def _dumps(body: Any) -> bytes:
    try:
        encoded = msgspec.json.encode(body)
        if rb"\u0000" not in encoded:
            return encoded
    except UnicodeEncodeError:
        pass
    return msgspec.json.encode(cleaned(msgspec.to_builtins(body)))
