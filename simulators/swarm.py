"""A load whose every value can be proved: a pure function of the tag and the time.

Tag number n, counted over all enterprises, reads at u microseconds since 1970

    (FLOOR + (n * TAG_STEP + (u mod MODULUS) * TIME_STEP) mod MODULUS) / SCALE

which is 40.000 to 60.010, within all limits, exact as float8 and cheap in SQL. MODULUS is prime,
so a value under a neighbouring tag or time is another one. Canaries read BREACH in messages of even
`seq` and CALM in the others. Pure.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from domain.instant import SECOND, moment
from simulators.message import Address

FLOOR, MODULUS, SCALE = 40_000, 20_011, 1_000
TAG_STEP, TIME_STEP = 7_919, 104_729
BREACH, CALM = 80.0, 0.0
"""What a canary reads; its only limit is HH 50."""
BULK, CANARY = "g1", "canary"
"""Gateways: one for each enterprise, and one of the first enterprise's canaries alone."""
TAGS_PER_SOURCE = 250
_DIGITS = np.frombuffer(
    "".join(f"{(FLOOR + n) / SCALE:6.3f}" for n in range(MODULUS)).encode(), np.uint8
).reshape(MODULUS, -1)

Numbers = NDArray[np.int64]


def start(number: int) -> int:
    """The share of a tag in its values."""
    return number * TAG_STEP % MODULUS


def shifts(times: Numbers) -> Numbers:
    """The share of times (microseconds since 1970) in values, int64, shape as given."""
    return times % MODULUS * TIME_STEP % MODULUS


@dataclass(frozen=True, slots=True)
class Swarm:
    """Who sends what: `tags` in each of `enterprises`, at most `values` of them in a message.

    A part is the tags of one message. The last part of an enterprise may be smaller. carriers:
    gateways by number; the one after all enterprises has the canaries, a part each.
    """

    enterprises: int
    tags: int
    values: int
    canaries: int = 0
    park: str = "load"

    @property
    def parts(self) -> int:
        """Messages that it takes to tell all tags of an enterprise."""
        return -(-self.tags // self.values)

    @property
    def carriers(self) -> list[Address]:
        """The gateways by number."""
        bulk = [Address(self.park, self.code(n), BULK) for n in range(self.enterprises)]
        return bulk + [Address(self.park, self.code(0), CANARY)] * bool(self.canaries)

    def code(self, enterprise: int) -> str:
        """The code of an enterprise."""
        return f"{self.park}-{enterprise:03d}"

    def part(self, enterprise: int, part: int) -> range:
        """The numbers of the tags of a part; modulo `tags` they number the tags by name."""
        first = enterprise * self.tags
        return range(first + part * self.values, first + min((part + 1) * self.values, self.tags))

    def name(self, number: int) -> str:
        """The name of a tag."""
        return f"T{number % self.tags:06d}"


def canary_name(number: int) -> str:
    """The name of a canary."""
    return f"CANARY-{number:04d}"


class Bodies:
    """Payloads of one boot. Values have one width, so a message is a form with digits put in."""

    def __init__(self, swarm: Swarm, boot: str) -> None:
        self._swarm = swarm
        self._head = f'{{"boot":"{boot}","seq":'
        self._forms: dict[tuple[int, int], tuple[NDArray[np.uint8], Numbers]] = {}
        self._second = -1
        self._calendar = ""

    def body(self, enterprise: int, part: int, seq: int, at: int) -> bytes:
        """The payload of one part at an instant, in microseconds since 1970."""
        form, start = self._forms.get((enterprise, part)) or self._form(enterprise, part)
        shift = at % MODULUS * TIME_STEP % MODULUS
        form[:, -_DIGITS.shape[1] :] = _DIGITS[(start + shift) % MODULUS]
        return self._opened(seq, at) + form.tobytes()[1:] + b"}}]}"

    def canary(self, canary: int, seq: int, at: int) -> bytes:
        """The payload of one canary, whose `seq` says whether it breaches."""
        value = CALM if seq % 2 else BREACH
        return self._opened(seq, at) + f'"{canary_name(canary)}":{value}}}}}]}}'.encode()

    def _form(self, enterprise: int, part: int) -> tuple[NDArray[np.uint8], Numbers]:
        numbers = self._swarm.part(enterprise, part)
        blank = " " * _DIGITS.shape[1]
        items = "".join(f',"{self._swarm.name(number)}":{blank}' for number in numbers)
        form = np.frombuffer(items.encode(), np.uint8).reshape(len(numbers), -1).copy()
        made = form, np.array([start(number) for number in numbers], np.int64)
        self._forms[enterprise, part] = made
        return made

    def _opened(self, seq: int, at: int) -> bytes:
        second, fraction = divmod(at, SECOND)
        if second != self._second:
            self._second = second
            self._calendar = moment(second * SECOND).strftime("%Y-%m-%dT%H:%M:%S")
        time = f"{self._calendar}.{fraction:06d}Z"
        return (
            f'{self._head}{seq},"sent":"{time}","samples":[{{"time":"{time}","values":{{'
        ).encode()


def site_lines(swarm: Swarm) -> Iterator[str]:
    """The site file of a swarm, line by line.

    Every tag has four limits, every tenth a limit on its rate; silence is no fault of a load.
    """
    yield "version: 1"
    yield f"tree: [{{code: {swarm.park}, kind: park, name: Load}}]"
    yield "enterprises:"
    for n in range(swarm.enterprises):
        code, has_canaries = swarm.code(n), n == 0 and swarm.canaries > 0
        gateways = f"[{BULK}, {CANARY}]" if has_canaries else f"[{BULK}]"
        head = f"code: {code}, park: {swarm.park}, name: {code}, gateways: {gateways}"
        yield f"  - {{{head}, sources: ["
        yield from _sources(swarm, has_canaries)
        yield "    ]}"


def _sources(swarm: Swarm, has_canaries: bool) -> Iterator[str]:
    tags = (_tag(swarm, number) for number in range(swarm.tags))
    for source in range(-(-swarm.tags // TAGS_PER_SOURCE)):
        yield f"      {{code: s{source}, kind: storage, name: Source {source}, tags: ["
        yield from islice(tags, TAGS_PER_SOURCE)
        yield "      ]},"
    if has_canaries:
        yield "      {code: canaries, kind: storage, name: Canaries, tags: ["
        yield from (_canary(number) for number in range(swarm.canaries))
        yield "      ]},"


def _tag(swarm: Swarm, number: int) -> str:
    rate = ", rate_per_min: 100000" if number % 10 == 0 else ""
    return (
        f"        {{name: {swarm.name(number)}, kind: temperature, unit: °C, range: [0, 100], "
        f"limits: {{LL: 10, L: 20, H: 80, HH: 90}}, interval_s: 1, max_silence_s: 86400{rate}}},"
    )


def _canary(number: int) -> str:
    return (
        f"        {{name: {canary_name(number)}, kind: gas_toxic, unit: ppm, range: [0, 100], "
        "limits: {HH: 50}, delay_off_s: 0, interval_s: 1, max_silence_s: 86400},"
    )
