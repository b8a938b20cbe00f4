"""Four hours of six hazard sources, 60 tags at 1 Hz: exactly the expected alarms, however cut.

The signals are plain levels under bounded noise, with incidents written over them. Each incident
moves by more than the noise between two readings, so the second at which it crosses a limit is
known.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pytest

from domain.alarms import Edge, Finding, Kind
from domain.frame import Frame
from domain.instant import SECOND, micros, moment
from domain.plant import Registry, Tag, TagKind
from rules.compiling import compile_plan
from rules.engine import step
from rules.state import RuleState
from tests.support.builders import START, registry, tag

HOURS = 4
SECONDS = HOURS * 3600
SOURCES = {letter: 11 + n for n, letter in enumerate("ABCDEF")}
EARLY_WARNING = (Kind.CHANGE, Kind.PREDICT)
"""Found the same however cut; what they find has tests of its own."""
SLOW_CLOCK = 30
"""Seconds by which the gateway of source F is behind."""


@dataclass(frozen=True)
class Instrument:
    """What one kind of instrument looks like: its normal reading, bounded noise, and limits."""

    kind: TagKind
    unit: str
    range: tuple[float, float]
    normal: float
    noise: float
    limits: dict[Kind, float]
    rate_per_min: float | None = None


LEVEL = Instrument(
    TagKind.LEVEL,
    "%",
    (0, 100),
    60.0,
    0.02,
    {Kind.LL: 10.0, Kind.L: 20.0, Kind.H: 80.0, Kind.HH: 90.0},
)
PRESSURE = Instrument(TagKind.PRESSURE, "MPa", (0, 2), 1.0, 0.005, {Kind.H: 1.5, Kind.HH: 1.8})
TEMPERATURE = Instrument(
    TagKind.TEMPERATURE, "°C", (0, 200), 60.0, 0.1, {Kind.H: 90.0, Kind.HH: 110.0}, 2.0
)
GAS = Instrument(TagKind.GAS_TOXIC, "ppm", (0, 100), 2.0, 0.5, {Kind.H: 25.0, Kind.HH: 50.0})
FLOW = Instrument(TagKind.FLOW, "m³/h", (0, 60), 30.0, 0.5, {Kind.LL: 5.0, Kind.L: 10.0})
OXYGEN = Instrument(TagKind.OXYGEN, "%VOL", (0, 25), 20.9, 0.05, {Kind.L: 19.5, Kind.H: 23.5})
EQUIPMENT = {
    "LI1": LEVEL,
    "LI2": LEVEL,
    "PI1": PRESSURE,
    "PI2": PRESSURE,
    "TI1": TEMPERATURE,
    "TI2": TEMPERATURE,
    "GD1": GAS,
    "GD2": GAS,
    "FI1": FLOW,
    "AI1": OXYGEN,
}


class Plant:
    """The signals: value and quality, [second, tag], and which readings never came."""

    def __init__(self) -> None:
        self.names = [f"{source}-{name}" for source in SOURCES for name in EQUIPMENT]
        kinds = [EQUIPMENT[name[2:]] for name in self.names]
        noise = np.random.default_rng(2026).uniform(-1, 1, (SECONDS, len(self.names)))
        self.value = np.array([k.normal for k in kinds]) + noise * [k.noise for k in kinds]
        self.quality = np.full(self.value.shape, 192, np.int16)
        self.missing = np.zeros(self.value.shape, np.bool_)

    def column(self, name: str) -> int:
        return self.names.index(name)

    def add(self, name: str, begin: int, more: np.ndarray) -> None:
        """Add a course to the normal reading."""
        self.value[begin : begin + len(more), self.column(name)] += more

    def lift(self, name: str, begin: int, end: int, to: float) -> None:
        """Let a tag read `to`, and its noise, for a while."""
        normal = EQUIPMENT[name[2:]].normal
        self.add(name, begin, np.full(end - begin, to - normal))

    def lose(self, names: str, begin: int, end: int) -> None:
        """Readings of the tags whose names begin so never come."""
        lost = [n for n, name in enumerate(self.names) if name.startswith(names)]
        self.missing[begin:end, lost] = True

    def at(self) -> np.ndarray:
        """Event times, microseconds, [second, tag]."""
        late = np.array([SLOW_CLOCK if name[0] == "F" else 0 for name in self.names])
        return np.asarray(micros(START) + (np.arange(SECONDS)[:, None] - late) * SECOND)

    def registry(self) -> Registry:
        return registry(*(self.tag(n, name) for n, name in enumerate(self.names)))

    def tag(self, n: int, name: str) -> Tag:
        kind = EQUIPMENT[name[2:]]
        return tag(
            n + 1,
            name,
            kind=kind.kind,
            unit=kind.unit,
            source=SOURCES[name[0]],
            range=kind.range,
            limits=kind.limits,
            delay_on_s=None,
            delay_off_s=None,
            rate_per_min=kind.rate_per_min,
            rate_window_s=30.0,
            interval_s=1.0,
        )


@pytest.fixture(scope="module")
def plant() -> Plant:
    """The four hours as they happened."""
    plant = Plant()
    # A tank is filled from 60 to 92 % at 0.05 % a second, and drawn off again.
    up = 0.025 + 0.05 * np.arange(641)
    plant.add("A-LI1", 600, np.concatenate([up, up[-2::-1]]))
    # An ammonia leak at two detectors; the second one is on the gateway whose clock is slow.
    plant.lift("B-GD1", 3600, 3660, 30.0)
    plant.lift("B-GD1", 3660, 3700, 60.0)
    plant.lift("F-GD2", 3605, 3665, 30.0)
    # One wild reading of a temperature.
    plant.lift("C-TI1", 5000, 5001, 160.0)
    # Source D is cut off for ten minutes, source E for 50 s, one tag of A for five minutes.
    plant.lose("D-", 7200, 7800)
    plant.lose("E-", 9600, 9650)
    plant.lose("A-PI2", 9000, 9300)
    # A level is high; meanwhile its readings are flagged bad for a minute, then empty for 40 s.
    plant.lift("B-LI1", 10000, 10200, 85.0)
    level = plant.column("B-LI1")
    plant.value[10050:10110, level] = 60.0
    plant.quality[10050:10110, level] = 0
    plant.value[10110:10150, level] = np.nan
    # A reactor warms by 3 K/min for five minutes, and stays there.
    plant.add("C-TI2", 10800, np.minimum(0.05 * np.arange(SECONDS - 10800), 15.0))
    # A pressure flutters about its limit, stays above, flutters within the deadband, and falls.
    plant.add("E-PI1", 12000, np.tile([0.55, 0.45], 10))
    plant.lift("E-PI1", 12030, 12050, 1.55)
    plant.add("E-PI1", 12050, np.tile([0.55, 0.48], 150))
    # Cooling water fails for 100 s.
    plant.lift("D-FI1", 13000, 13100, 3.0)
    # Oxygen is short for 3 s, later for 100 s, at the gateway whose clock is slow.
    plant.lift("F-AI1", 13500, 13503, 19.0)
    plant.lift("F-AI1", 13600, 13700, 19.0)
    return plant


EXPECTED = """
    A-LI1  H               RAISED    since 08:16:40  at 08:17:10
    A-LI1  HH              RAISED    since 08:20:00  at 08:20:05
    A-LI1  HH              RETURNED  since 08:20:00  at 08:22:01
    A-LI1  H               RETURNED  since 08:16:40  at 08:25:51
    F-GD2  H               RAISED    since 08:59:35  at 08:59:38
    B-GD1  H               RAISED    since 09:00:00  at 09:00:03
    B-GD1  HH              RAISED    since 09:01:00  at 09:01:00
    F-GD2  H               RETURNED  since 08:59:35  at 09:01:05
    B-GD1  INTERMITTENT    RAISED    since 09:00:32  at 09:01:14
    B-GD1  H               RETURNED  since 09:00:00  at 09:02:10
    B-GD1  HH              RETURNED  since 09:01:00  at 09:02:10
    B-GD1  INTERMITTENT    RETURNED  since 09:00:32  at 09:11:55
    D      SOURCE_OFFLINE  RAISED    since 09:59:59  at 10:01:59
    D      SOURCE_OFFLINE  RETURNED  since 09:59:59  at 10:10:00
    A-PI2  OFFLINE         RAISED    since 10:29:59  at 10:30:59
    A-PI2  OFFLINE         RETURNED  since 10:29:59  at 10:35:00
    B-LI1  H               RAISED    since 10:46:40  at 10:47:10
    B-LI1  OFFLINE         RAISED    since 10:47:29  at 10:48:29
    B-LI1  OFFLINE         RETURNED  since 10:47:29  at 10:49:10
    B-LI1  H               RETURNED  since 10:46:40  at 10:51:00
    C-TI2  ROC             RAISED    since 11:00:30  at 11:01:30
    C-TI2  ROC             RETURNED  since 11:00:30  at 11:06:00
    E-PI1  H               RAISED    since 11:20:30  at 11:20:45
    E-PI1  H               RETURNED  since 11:20:30  at 11:26:05
    D-FI1  LL              RAISED    since 11:36:40  at 11:36:50
    D-FI1  L               RAISED    since 11:36:40  at 11:36:55
    D-FI1  LL              RETURNED  since 11:36:40  at 11:38:35
    D-FI1  L               RETURNED  since 11:36:40  at 11:38:35
    F-AI1  L               RAISED    since 11:46:10  at 11:46:15
    F-AI1  L               RETURNED  since 11:46:10  at 11:48:20
"""


def log_of(plant: Plant, findings: list[Finding]) -> list[str]:
    """Raises and returns as lines of a log, by time."""
    lines = []
    for f in sorted(findings, key=lambda f: (f.effective, f.tag or 0, f.kind)):
        who = plant.names[f.tag - 1] if f.tag else "ABCDEF"[(f.node or 0) - 11]
        if f.edge is not Edge.WORSE and f.kind not in EARLY_WARNING:
            times = f"since {f.onset:%H:%M:%S} at {f.effective:%H:%M:%S}"
            lines.append(f"{who} {f.kind.name} {f.edge.name} {times}")
    return lines


def expected_log() -> list[str]:
    return [" ".join(line.split()) for line in EXPECTED.strip().splitlines()]


def frames(plant: Plant, seconds: int) -> Iterator[Frame]:
    """The stream in frames of some seconds, received with their last readings, each shuffled."""
    at, chance = plant.at(), np.random.default_rng(1)
    for begin in range(0, SECONDS, seconds):
        end = min(begin + seconds, SECONDS)
        second, column = np.nonzero(~plant.missing[begin:end])
        order = chance.permutation(len(second)) if seconds > 1 else slice(None)
        rows, column = second[order] + begin, column[order]
        yield Frame.of(
            column.astype(np.int32) + 1,
            at[rows, column],
            plant.value[rows, column],
            received=micros(START) + (end - 1) * SECOND,
            quality=plant.quality[rows, column],
        )


def watch(plant: Plant, seconds: int, ticks: int) -> list[Finding]:
    """Judge all four hours, with some ticks in the second after each frame."""
    plan = compile_plan(plant.registry())
    state = RuleState.fresh(plan, micros(START))
    findings = []
    for frame in frames(plant, seconds):
        findings += step(plan, state, frame, moment(frame.received))
        for n in range(1, ticks + 1):
            tick = frame.received + n * SECOND // (ticks + 1)
            findings += step(plan, state, None, moment(tick))
    return findings


@pytest.fixture(scope="module")
def as_it_came(plant: Plant) -> list[Finding]:
    return watch(plant, seconds=1, ticks=0)


def test_four_hours_have_exactly_the_expected_alarms(plant: Plant, as_it_came: list[Finding]):
    assert log_of(plant, as_it_came) == expected_log()


def test_each_alarm_shows_the_reading_that_was_held_when_its_delay_ran_out(
    plant: Plant, as_it_came: list[Finding]
):
    raised = [f for f in as_it_came if f.edge is Edge.RAISED and f.kind <= Kind.HH]
    for finding in raised:
        assert finding.tag is not None
        late = SLOW_CLOCK if plant.names[finding.tag - 1][0] == "F" else 0
        held = 0 if finding.effective == finding.onset else 1
        second = round((finding.effective - START).total_seconds()) + late - held
        assert finding.value == plant.value[second, finding.tag - 1]
    assert len(raised) == 10


def test_worse_is_told_once_for_each_per_cent_of_the_span(as_it_came: list[Finding]):
    worse = [
        f.value for f in as_it_came if f.edge is Edge.WORSE and f.kind is Kind.H and f.tag == 1
    ]
    assert all(1.0 < later - earlier < 1.1 for earlier, later in pairwise(worse))
    assert len(worse) == 10


@pytest.mark.parametrize(("seconds", "ticks"), [(7, 0), (60, 0), (60, 3)])
def test_the_same_is_found_however_the_stream_is_cut(
    plant: Plant, as_it_came: list[Finding], seconds: int, ticks: int
):
    def order(findings: list[Finding]) -> list[Finding]:
        return sorted(findings, key=lambda f: (f.effective, f.tag or 0, f.kind, f.edge))

    found = watch(plant, seconds, ticks)
    assert log_of(plant, found) == expected_log()
    assert [repr(f) for f in order(found)] == [repr(f) for f in order(as_it_came)]
