"""Time cells as instants: each judged by itself, each different text read once."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from domain.frame import Ints
from domain.import_map import ImportTime
from domain.instant import SECOND, micros, moment, rfc3339
from hazwatch.imports.cells import is_text, numbers, texts
from hazwatch.imports.zones import instants
from ingest.wiretime import END, FIRST

SOUND, BAD, NAIVE, TWICE, NEVER_WAS, OLD, RECENT, FUTURE = range(8)
REASONS = (
    "",
    "bad_time",
    "naive_time",
    "ambiguous_time",
    "no_such_time",
    "too_old",
    "too_recent",
    "in_future",
)
"""By code."""
DIGITS = {"Y": r"(\d{4})", "f": r"(\d{1,6})"} | dict.fromkeys("mdHMS", r"(\d{2})")
"""Directives of a pattern that are read for a whole column at once, where all digits are there."""
OFFSET = r"(?:[Zz]|[+-]\d\d:?\d\d)$"
MARGIN = timedelta(minutes=10)
"""Samples younger than this are a gateway's to send: the live rules have to see them."""


@dataclass(frozen=True, slots=True, eq=False)
class Times:
    """time: int64[n] instants in microseconds. code: int8[n], a place in `REASONS`, 0 = sound."""

    time: Ints
    code: NDArray[np.int8]

    @property
    def sound(self) -> NDArray[np.bool_]:
        """bool[n]: which can be stored."""
        return np.equal(self.code, SOUND)


@dataclass(frozen=True, slots=True)
class TimeReader:
    """Reads times as a map says. at: when the import began; nothing near or after it is taken."""

    said: ImportTime
    at: datetime

    def read(self, column: pa.Array | None, row: Ints) -> Times:
        """The times of rows: of their cells, or counted by the number of each row, from 0."""
        if column is None:
            found = self._counted(row)
        elif pa.types.is_dictionary(column.type):
            once = self._read(column.dictionary)
            place = pc.fill_null(pc.cast(column.indices, pa.int64()), -1).to_numpy(
                zero_copy_only=False
            )
            time, code = np.append(once.time, 0), np.append(once.code, np.int8(BAD))
            found = Times(time[place], code[place])
        else:
            found = self._read(column)
        return self._bounded(found)

    def detail(self, code: int, time: int) -> str:
        """What is wrong with a time, and what to do."""
        zone = self.said.timezone
        match code:
            case _ if code == NAIVE:
                return "no offset: say --timezone Asia/Shanghai, or time.timezone in the map"
            case _ if code == TWICE:
                return (
                    f"this hour came twice in {zone}: export with offsets, or say time.twice: "
                    "first or second in the map"
                )
            case _ if code == NEVER_WAS:
                return f"clocks of {zone} never showed this time: is it the right timezone?"
            case _ if code == OLD:
                return "before the year 2000"
            case _ if code == RECENT:
                end = rfc3339(self._end())
                return f"after {end}: the last 10 minutes are the gateway's to send"
            case _ if code == FUTURE:
                return f"{rfc3339(moment(time))} is in the future"
        return f"not in the format of the map, {self.said.format}"

    def _end(self) -> datetime:
        return (self.at - MARGIN).replace(microsecond=0)

    def _bounded(self, found: Times) -> Times:
        code = found.code.copy()
        sound = code == SOUND
        code[sound & (found.time < FIRST)] = OLD
        code[sound & (found.time > micros(self._end()))] = RECENT
        code[sound & (found.time > micros(self.at))] = FUTURE
        return replace(found, code=code)

    def _counted(self, row: Ints) -> Times:
        start, step = self.said.start, self.said.step_s
        assert start is not None  # the map's rules
        assert step is not None
        if start.tzinfo is None:
            start = start.replace(tzinfo=ZoneInfo(self.said.timezone or "UTC"))
        time = micros(start) + np.rint(row * (step * SECOND)).astype(np.int64)
        return Times(time, np.zeros(len(row), np.int8))

    def _read(self, column: pa.Array) -> Times:
        if pa.types.is_timestamp(column.type):
            return self._stamps(column)
        if pa.types.is_date(column.type):
            return self._stamps(pc.cast(column, pa.timestamp("us")))
        match self.said.format:
            case "epoch_s":
                return _epoch(column, SECOND)
            case "epoch_ms":
                return _epoch(column, 1_000)
        if not is_text(column.type):
            return _all_bad(len(column))
        column = pc.ascii_trim_whitespace(pc.fill_null(pc.cast(column, pa.string()), ""))
        if self.said.format == "iso":
            return self._iso(column)
        return self._pattern(column, self.said.format or "")

    def _stamps(self, column: pa.Array) -> Times:
        """A column of instants, or of clock times where it has no zone."""
        absent = column.is_null().to_numpy(zero_copy_only=False)
        zoned = column.type.tz is not None
        us = pc.cast(column, pa.timestamp("us", column.type.tz), safe=False)
        time = np.array(pc.fill_null(pc.cast(us, pa.int64()), 0))
        found = Times(time, np.zeros(len(time), np.int8)) if zoned else self._local(time)
        return replace(found, code=np.where(absent, BAD, found.code).astype(np.int8))

    def _iso(self, column: pa.Array) -> Times:
        zoned = pc.match_substring_regex(column, OFFSET)
        for kind, wanted in ((pa.timestamp("us", "UTC"), True), (pa.timestamp("us"), False)):
            if zoned.null_count == 0 and pc.all(pc.equal(zoned, wanted), min_count=0).as_py():
                try:
                    return self._stamps(pc.cast(column, kind))
                except pa.ArrowInvalid:
                    break
        return self._one_by_one(column, _from_iso)

    def _pattern(self, column: pa.Array, pattern: str) -> Times:
        def python(text: str) -> datetime:
            return datetime.strptime(text, pattern)  # noqa: DTZ007 -- `_of` gives it the map's zone

        found = rewriting(pattern)
        if found is None:
            return self._one_by_one(column, python)
        fits = pc.match_substring_regex(column, f"^{found[0]}$")
        iso = pc.if_else(fits, pc.replace_substring_regex(column, *found), None)
        try:
            times = self._stamps(pc.cast(iso, pa.timestamp("us")))
        except pa.ArrowInvalid:  # such as a 13th month
            return self._one_by_one(column, python)
        left = np.flatnonzero(iso.is_null().to_numpy(zero_copy_only=False))
        if len(left):
            other = self._one_by_one(column.take(pa.array(left)), python)
            times.time[left], times.code[left] = other.time, other.code
        return times

    def _one_by_one(self, column: pa.Array, parse: Callable[[str], datetime]) -> Times:
        once = column.dictionary_encode()
        every = texts(once.dictionary, np.arange(len(once.dictionary)))
        zoned = np.zeros(len(every), np.int64)
        local = np.zeros(len(every), np.int64)
        code = np.full(len(every), BAD, np.int8)
        is_local = np.zeros(len(every), np.bool_)
        for n, text in enumerate(every):
            try:
                when = parse(text)
            except (ValueError, OverflowError):
                continue
            code[n], is_local[n] = SOUND, when.tzinfo is None
            if when.tzinfo is None:
                local[n] = micros(when.replace(tzinfo=UTC))
            else:
                zoned[n] = micros(when)
        found = self._local(local)
        time = np.where(is_local, found.time, zoned)
        code = np.where(is_local & (code == SOUND), found.code, code).astype(np.int8)
        place = once.indices.to_numpy(zero_copy_only=False)
        return Times(time[place], code[place])

    def _local(self, local: Ints) -> Times:
        """Clock times of the map's zone."""
        code = np.zeros(len(local), np.int8)
        if self.said.timezone is None:
            return Times(local, np.full(len(local), NAIVE, np.int8))
        inside = (local >= FIRST - 2 * 86_400 * SECOND) & (local < END)
        time, ambiguous, missing = instants(
            np.where(inside, local, FIRST), ZoneInfo(self.said.timezone), self.said.twice
        )
        code[ambiguous], code[missing] = TWICE, NEVER_WAS
        return Times(np.where(inside, time, local), np.where(inside, code, SOUND).astype(np.int8))


def _from_iso(text: str) -> datetime:
    """Also with a small z, and with a 60th second, which is the next one."""
    text = f"{text[:-1]}Z" if text.endswith("z") else text
    leap = text[17:19] == "60"
    when = datetime.fromisoformat(f"{text[:17]}59{text[19:]}" if leap else text)
    return when + timedelta(seconds=1) if leap else when


def rewriting(pattern: str) -> tuple[str, str] | None:
    """(regular expression, replacement) that make ISO 8601 of texts in a strptime pattern; None
    where it takes more than that."""
    order = re.findall("%(.)", pattern)
    if set(order) - DIGITS.keys() or len(set(order)) < len(order) or not set("Ymd") <= set(order):
        return None
    if any(late in order and early not in order for early, late in ("HM", "MS", "Sf")):
        return None
    parts = re.split("%.", pattern)
    found = re.escape(parts[0]) + "".join(
        DIGITS[name] + re.escape(text) for name, text in zip(order, parts[1:], strict=True)
    )
    place = {name: rf"\{n}" for n, name in enumerate(order, 1)}
    clock = [place.get(name, "00") for name in "HMS"]
    date = "-".join(place[name] for name in "Ymd")
    return found, f"{date}T{':'.join(clock)}" + (f".{place['f']}" if "f" in place else "")


def _epoch(column: pa.Array, unit_us: int) -> Times:
    if pa.types.is_integer(column.type):
        given = pc.fill_null(pc.cast(column, pa.int64()), 0).to_numpy(zero_copy_only=False)
        near = np.abs(given) < END // unit_us
        absent = column.is_null().to_numpy(zero_copy_only=False)
        time = np.where(near, given, 0) * np.int64(unit_us)
        return Times(time, np.where(near & ~absent, SOUND, BAD).astype(np.int8))
    value = numbers(column).value * unit_us
    near = np.abs(value) < END
    time = np.rint(np.where(near, value, 0)).astype(np.int64)
    return Times(time, np.where(near, SOUND, BAD).astype(np.int8))


def _all_bad(n: int) -> Times:
    return Times(np.zeros(n, np.int64), np.full(n, BAD, np.int8))
