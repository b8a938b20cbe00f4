"""Bodies of the `data` topic: bytes in, `Message` or `Unread` out, whatever the bytes are.

Sound bodies take the typed way. Whatever it stumbles over (a NaN literal, one value of a wrong
type, a member that the profile does not have) is read again by `ingest.tolerant`, value by value.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Annotated

import msgspec
import numpy as np
from numpy.typing import NDArray

from domain.frame import Floats
from domain.quality import Quality
from ingest.message import MAX_BOOT, MAX_BRACKETS, MAX_SEQ, MAX_VALUES, Message, Unread
from ingest.rejection import Rejection
from ingest.tolerant import TOO_MANY, quality_byte, read, salvaged
from ingest.unpack import MAX_UNPACKED, unpack
from ingest.wiretime import instant

Seq = Annotated[int, msgspec.Meta(ge=0, le=MAX_SEQ)]


class Reading(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """A value with what the sender says of it."""

    value: float | bool | None
    quality: str | int | None = None
    unit: str | None = None


Given = float | bool | Reading | None
"""What is written for a tag."""


class Sample(msgspec.Struct, forbid_unknown_fields=True):
    """Values of one time."""

    time: str | int
    values: dict[str, Given]


class Body(msgspec.Struct, forbid_unknown_fields=True):
    """A whole message."""

    samples: list[Sample]
    boot: Annotated[str, msgspec.Meta(max_length=MAX_BOOT, pattern="^[^\\x00]*$")] | None = None
    seq: Seq | None = None
    oldest: Seq | None = None
    sent: str | int | None = None
    historical: bool = False


_SOUND = msgspec.json.Decoder(Body)


@dataclass(frozen=True, slots=True)
class Sound:
    """A body of sound form: `width` values in `text`. What it says may still have faults."""

    body: Body
    width: int
    text: bytes

    @property
    def size(self) -> int:
        """Bytes of the body, unpacked."""
        return len(self.text)


def decode(payload: bytes) -> Message | Unread:
    """The message in a payload; never raises, whatever the payload."""
    return understood(look(payload))


def look(payload: bytes) -> Sound | Message | Unread:
    """A payload's body where its form is sound, else at once what `decode` says of it."""
    body = unpack(payload)
    if isinstance(body, Rejection):
        return Unread(body, *salvaged(payload), size=MAX_UNPACKED)
    if body.count(b"{") + body.count(b"[") > MAX_BRACKETS:
        return Unread(TOO_MANY, *salvaged(body), size=len(body))
    try:
        sound = _SOUND.decode(body)
    except (ValueError, RecursionError):
        return replace(read(body), size=len(body))
    samples = sound.samples
    width = len(samples[0].values) if len(samples) == 1 else sum(len(s.values) for s in samples)
    if max(width, len(samples)) > MAX_VALUES:
        return Unread(TOO_MANY, sound.boot, sound.seq, size=len(body))
    return Sound(sound, width, body)


def understood(found: Sound | Message | Unread) -> Message | Unread:
    """What `decode` says of a payload that `look` has seen."""
    if not isinstance(found, Sound):
        return found
    return _columns(found.body, found.size) or replace(read(found.text), size=found.size)


def _columns(body: Body, size: int) -> Message | None:
    """The columns of a body without fault, of `size` bytes.

    None where the tolerant reading must find the fault.
    """
    sent = None if body.sent is None else instant(body.sent)
    times = [instant(sample.time) for sample in body.samples]
    if (
        isinstance(sent, Rejection)
        or (body.oldest is not None and body.seq is not None and body.oldest > body.seq)
        or any(isinstance(time, Rejection) for time in times)
    ):
        return None
    samples = [sample.values for sample in body.samples]
    at = np.array(times, np.int64)
    if (at[1:] < at[:-1]).any():
        order = at.argsort(kind="stable")
        at, samples = at[order], [samples[i] for i in order]
    given = list(chain.from_iterable(values.values() for values in samples))
    columns = numbers(given)
    if columns is None:
        return None
    value, quality, units = columns
    return Message(
        body.boot,
        body.seq,
        body.oldest,
        sent,
        body.historical,
        tuple(chain.from_iterable(samples)),
        at.repeat([len(values) for values in samples]) if len(at) else at,
        value,
        quality,
        units,
        steady=not (at[1:] == at[:-1]).any(),
        size=size,
    )


def numbers(
    given: Sequence[Given],
) -> tuple[Floats, NDArray[np.int16], dict[int, str]] | None:
    """value, quality and the units given; None where a quality is not one."""
    try:
        value = np.array(given, np.float64)
    except TypeError:
        return _readings(given)
    quality = np.full(len(value), Quality.GOOD, np.int16)
    quality[np.isnan(value)] = Quality.BAD
    return value, quality, {}


def _readings(
    given: Sequence[Given],
) -> tuple[Floats, NDArray[np.int16], dict[int, str]] | None:
    value = np.array([one.value if isinstance(one, Reading) else one for one in given], np.float64)
    quality = np.full(len(value), Quality.GOOD, np.int16)
    units = {}
    for row, one in enumerate(given):
        if isinstance(one, Reading):
            said = quality_byte(one.quality)
            if said is None:
                return None
            quality[row] = said
            if one.unit is not None:
                units[row] = one.unit
    quality[np.isnan(value) & (quality >= Quality.UNCERTAIN)] = Quality.BAD
    return value, quality, units
