"""The second, patient reading of a body: no bad value rejects its neighbours."""

import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import msgspec
import numpy as np

from domain.quality import WORDS, Quality
from ingest.message import MAX_BOOT, MAX_SEQ, MAX_VALUES, Message, RejectedValue, Unread
from ingest.rejection import Rejection, shown
from ingest.wiretime import instant

MAX_REJECTED = 10_000
"""Rejected values of one message that are kept one by one; those beyond are only counted."""
MAX_PAYLOAD = 1024
"""Bytes kept of a rejected value."""
MAX_DIGITS = 400
"""Digits beyond which no integer is a float64."""
TOO_MANY = Rejection(
    "too_many_values", f"at most {MAX_VALUES} values and samples are taken in one message"
)
MEMBERS = frozenset({"boot", "seq", "oldest", "sent", "historical", "samples"})

_HEAD = re.compile(
    rb'\s*"((?:[^"\\\x00-\x1f]|\\.)*)"\s*:\s*'
    rb'("(?:[^"\\\x00-\x1f]|\\.)*"|-?[0-9][0-9.eE+-]*|true|false|null)\s*[,}]'
)

T = TypeVar("T")


def read(body: bytes) -> Message | Unread:
    """The message in a JSON text that is not sound; NaN, Infinity and 1e999 may stand in it."""
    told = parsed(body)
    if isinstance(told, Rejection):
        return Unread(told, *salvaged(body))
    if not isinstance(told, dict):
        return Unread(Rejection("not_an_object", f"the body is {shown(told)}, not an object"))
    head = _Head(told)
    boot = head.take("boot", _boot)
    seq = head.take("seq", _seq)
    samples = told.get("samples")
    if not isinstance(samples, list):
        why = "there is no 'samples'" if samples is None else f"'samples' is {shown(samples)}"
        return Unread(Rejection("no_samples", f"{why}; it must be a list"), boot, seq)
    if max(len(samples), sum(map(_size, samples))) > MAX_VALUES:
        return Unread(TOO_MANY, boot, seq)
    rows = _Rows(unknown=len(told.keys() - MEMBERS))
    for sample in samples:
        rows.add(sample)
    oldest = head.take("oldest", lambda said: _oldest(said, seq))
    sent = head.take("sent", instant)
    historical = head.take("historical", _flag) or False
    return rows.message(boot, seq, oldest, sent, historical, (*head.odd, *rows.odd))


def parsed(body: bytes) -> Any:
    """The JSON value in `body`, or a Rejection. What is not UTF-8 becomes U+FFFD."""
    try:
        return msgspec.json.decode(body)
    except (ValueError, RecursionError):
        pass
    try:
        return json.loads(body.decode("utf-8-sig", "replace"), parse_int=_integer)
    except ValueError as error:
        return Rejection("malformed", f"the body is not JSON: {error}")
    except RecursionError:
        return Rejection("malformed", "the body is nested too deeply")


def salvaged(body: bytes) -> tuple[str | None, int | None]:
    """boot and seq of a body that breaks off later, read from the plain members it begins with.

    So a message that is quarantined whole can be accounted for, and receipts do not stop at it.
    """
    start = re.match(rb"(?:\xef\xbb\xbf)?\s*\{", body)
    position = start.end() if start else len(body)
    members: dict[str, object] = {}
    while found := _HEAD.match(body, position):
        name, said = (parsed(part) for part in (b'"%b"' % found[1], found[2]))
        members[str(name)] = said
        position = found.end()
    head = _Head(members)
    return head.take("boot", _boot), head.take("seq", _seq)


def quality_byte(said: object) -> int | None:
    """The OPC byte that a sender's quality means (absent: good), None if it is none."""
    if said is None:
        return Quality.GOOD
    if isinstance(said, str):
        return WORDS.get(said.lower())
    if isinstance(said, int) and not isinstance(said, bool) and 0 <= said <= 255:
        return said
    return None


@dataclass(slots=True)
class _Head:
    """Members beside the samples. One that makes no sense counts as absent, and as odd."""

    told: Mapping[str, object]
    odd: list[Rejection] = field(default_factory=list)

    def take(self, name: str, read_it: Callable[[Any], T | Rejection]) -> T | None:
        said = self.told.get(name)
        if said is None:
            return None
        value = read_it(said)
        if isinstance(value, Rejection):
            self.odd.append(Rejection("bad_member", f"'{name}' was ignored: {value.detail}"))
            return None
        return value


@dataclass(slots=True)
class _Rows:
    """Rows and rejections as they gather."""

    unknown: int
    names: list[str] = field(default_factory=list)
    times: list[int] = field(default_factory=list)
    values: list[float] = field(default_factory=list)
    qualities: list[int] = field(default_factory=list)
    units: list[str | None] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)
    rejected: list[RejectedValue] = field(default_factory=list)
    more_rejected: int = 0
    odd: list[Rejection] = field(default_factory=list)

    def add(self, sample: object) -> None:
        """Every value of a sample, each with its own fate."""
        values = sample.get("values") if isinstance(sample, dict) else None
        if not isinstance(sample, dict) or not isinstance(values, dict):
            detail = "a sample is an object with 'time' and 'values', an object of tag and value"
            self._reject(None, None, Rejection("bad_sample", detail), sample)
            return
        self.unknown += len(sample.keys() - {"time", "values"})
        time = instant(sample.get("time"))
        if not isinstance(time, Rejection):
            self.starts.append(time)
        for name, said in values.items():
            why = time if isinstance(time, Rejection) else self._value(name, time, said)
            if why is not None:
                self._reject(name, sample.get("time"), why, said)

    def _value(self, name: str, time: int, said: object) -> Rejection | None:
        quality: int = Quality.GOOD
        unit = None
        if isinstance(said, dict):
            self.unknown += len(said.keys() - {"value", "quality", "unit"})
            byte, unit = quality_byte(said.get("quality")), said.get("unit")
            if not isinstance(unit, str | None):
                return Rejection("bad_unit", f"unit {shown(unit)} is not text")
            quality = self._doubted(name, said["quality"]) if byte is None else byte
            said = said.get("value", said)
        value = number(said)
        if isinstance(value, Rejection):
            return value
        if math.isnan(value) and quality >= Quality.UNCERTAIN:
            quality = Quality.BAD
        self.names.append(name)
        self.times.append(time)
        self.values.append(value)
        self.qualities.append(quality)
        self.units.append(unit)
        return None

    def _doubted(self, name: str, said: object) -> int:
        """A word that nobody knows takes nothing from the value: it may start an alarm, never end
        one. Told once a message."""
        if not self.odd:
            allowed = f"allowed are {', '.join(WORDS)} and 0 to 255"
            why = f"quality {shown(said)} of {shown(name)} is taken for uncertain: {allowed}"
            self.odd.append(Rejection("bad_quality", why))
        return Quality.UNCERTAIN

    def _reject(self, tag: str | None, time: object, why: Rejection, said: object) -> None:
        if len(self.rejected) >= MAX_REJECTED:
            self.more_rejected += 1
            return
        when = None if time is None else time if isinstance(time, str) else shown(time)
        self.rejected.append(RejectedValue(tag, when, why.reason, why.detail, _written(said)))

    def message(
        self,
        boot: str | None,
        seq: int | None,
        oldest: int | None,
        sent: int | None,
        historical: bool,
        odd: tuple[Rejection, ...],
    ) -> Message:
        """Everything gathered, in order of time."""
        time = np.array(self.times, np.int64)
        order = time.argsort(kind="stable")
        places = order.tolist()
        units = {row: self.units[place] for row, place in enumerate(places)}
        return Message(
            boot,
            seq,
            oldest,
            sent,
            historical,
            tuple(self.names[place] for place in places),
            time[order],
            np.array(self.values, np.float64)[order],
            np.array(self.qualities, np.int16)[order],
            {row: unit for row, unit in units.items() if unit is not None},
            len(set(self.starts)) == len(self.starts),
            tuple(self.rejected),
            self.more_rejected,
            odd,
            self.unknown,
        )


def _size(sample: object) -> int:
    values = sample.get("values") if isinstance(sample, dict) else None
    return len(values) if isinstance(values, dict) else 0


def number(said: object) -> float | Rejection:
    """A value as float64: null is NaN, true 1, false 0; what else is no number is rejected."""
    if said is None:
        return math.nan
    if isinstance(said, int | float):
        try:
            value = float(said)
        except OverflowError:
            value = math.inf
        if not math.isinf(value):
            return value
    return Rejection(
        "not_a_number", f"value {shown(said)}: allowed are finite numbers, true, false and null"
    )


def _written(said: object) -> bytes:
    try:
        return json.dumps(said).encode()[:MAX_PAYLOAD]
    except RecursionError:
        return shown(said).encode()


def _integer(digits: str) -> int | float:
    return int(digits) if len(digits) <= MAX_DIGITS else math.copysign(math.inf, float(digits[:2]))


def _boot(said: object) -> str | Rejection:
    if isinstance(said, str) and len(said) <= MAX_BOOT and "\x00" not in said:
        try:
            said.encode()
        except UnicodeEncodeError:
            pass
        else:
            return said
    return Rejection("bad_member", f"{shown(said)} is not text of at most {MAX_BOOT} characters")


def _seq(said: object) -> int | Rejection:
    if isinstance(said, int) and not isinstance(said, bool) and 0 <= said <= MAX_SEQ:
        return said
    return Rejection("bad_member", f"{shown(said)} is not an integer from 0 to {MAX_SEQ}")


def _oldest(said: object, seq: int | None) -> int | Rejection:
    value = _seq(said)
    if isinstance(value, int) and seq is not None and value > seq:
        return Rejection("bad_member", f"{value} is above the message's own seq {seq}")
    return value


def _flag(said: object) -> bool | Rejection:
    if isinstance(said, bool):
        return said
    return Rejection("bad_member", f"{shown(said)} is neither true nor false")
