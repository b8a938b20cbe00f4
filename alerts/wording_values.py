"""How words of notices are read out of the members of a body, and times are told. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from string import Template
from typing import Any

Body = Mapping[str, object]
LONGEST_S = 366 * 86_400.0


@dataclass(frozen=True, slots=True)
class Lexicon:
    """The words of a language: single ones, and tables of them."""

    single: Mapping[str, str]
    tables: Mapping[str, Mapping[str, str]]

    def word(self, table: str, key: object, otherwise: str | None = None) -> str:
        """A word of a table; the key itself, or `otherwise`, where the table lacks it."""
        return self.tables[table].get(str(key), str(key) if otherwise is None else otherwise)


class LocalTime:
    """Times as people of a zone read them."""

    def __init__(self, sent: datetime, zone: tzinfo) -> None:
        self._zone = zone
        self._day = sent.astimezone(zone).date()
        offset = sent.astimezone(zone).utcoffset() or timedelta()
        ahead = round(offset.total_seconds() / 60)
        hours, rest = divmod(abs(ahead), 60)
        sign = "-" if ahead < 0 else "+"
        self.name = f"UTC{sign}{hours}" + (f":{rest:02}" if rest else "") if ahead else "UTC"

    def long(self, when: datetime | None) -> str | None:
        """Date and time to the second."""
        return None if when is None else f"{when.astimezone(self._zone):%Y-%m-%d %H:%M:%S}"

    def short(self, when: datetime | None) -> str | None:
        """Hour and minute; with the date where it is another day."""
        if when is None:
            return None
        local = when.astimezone(self._zone)
        return f"{local:%H:%M}" if local.date() == self._day else f"{local:%m-%d %H:%M}"

    def times(self, name: str, when: datetime | None) -> dict[str, str | None]:
        """The words of an instant."""
        return {name: self.long(when), f"{name}_clock": self.short(when)}


def part(body: Body, name: str) -> Mapping[str, Any]:
    """A member that is an object itself; empty where it is none."""
    found = body.get(name)
    return found if isinstance(found, Mapping) else {}


def items(value: object) -> list[object]:
    """A list; empty where it is none."""
    return list(value) if isinstance(value, list | tuple) else []


def minutes(seconds: object) -> str | None:
    """Whole or fractional minutes; None for none."""
    return None if (known := duration(seconds)) is None else f"{known / 60:g}"


def lasting(seconds: object, lexicon: Lexicon) -> str | None:
    """So many minutes, or hours where it is two or more."""
    known = duration(seconds)
    if known is None:
        return None
    unit, size = ("hours", 3600) if known >= 7200 else ("minutes", 60)
    return Template(lexicon.single[unit]).substitute(n=f"{known / size:.3g}")


def duration(seconds: object) -> float | None:
    """Seconds above 0 and up to `LONGEST_S`, None for anything else."""
    good = isinstance(seconds, int | float) and 0 < seconds <= LONGEST_S
    return float(seconds) if good and isinstance(seconds, int | float) else None


def line(value: object) -> str | None:
    """A text on one line, None where there is none."""
    if value is None or isinstance(value, Mapping | list | tuple):
        return None
    return " ".join(str(value).split()) or None


def instant(value: object) -> datetime | None:
    """An aware instant as RFC 3339 has it, None where there is none."""
    if not isinstance(value, str):
        return None
    try:
        when = datetime.fromisoformat(value)
    except ValueError:
        return None
    return when if when.tzinfo else None
