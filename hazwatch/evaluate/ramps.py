"""`hazwatch evaluate ramps`: the kernels of CHANGE and PREDICT on synthetic ramps, G1 to G4 and G8.

Many tags at once go through the kernels that the engine runs. The change detector learns for a day;
its threshold is then set for 0.1 false-alarm episodes per tag-day on white noise, and every rate
and delay is measured on other noise. Ramps begin where the learning ended. Intervals of the time to
the limit are checked when the true time has some value left; the bound of their error is that of
least squares over the whole ramp (early-warning.md, limits 7), which knows the onset.
"""

from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from dataclasses import fields, replace
from datetime import UTC, datetime
from time import process_time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from domain.alarms import Kind
from domain.change_model import change_model
from domain.forecast_model import forecast_model
from domain.instant import NEVER, SECOND
from domain.plant import Registry, Tag, TagKind
from hazwatch.evaluate import oracle
from hazwatch.evaluate.oracle import CORRELATED, DAY, EXCEPTION, OUTLIERS, WHITE, Noise, Singles
from hazwatch.evaluate.report import Report
from hazwatch.evaluate.score import binomial, poisson
from rules import change, forecast
from rules.compiling import compile_plan
from rules.discounts import no_discounts
from rules.findings import Collector
from rules.forecast_table import table_of
from rules.outlook import look
from rules.samples import Samples

Tell = Callable[[str, float], None]
INTERVAL = 10 * SECOND
HEARTBEAT = 60
"""Samples after which a sender by exception reports in any case."""
LIMIT = 40.0
AHEAD = ((0.05, 60), (0.05, 120), (0.2, 30), (0.1, 60), (0.02, 120))
"""Slope per sample, and samples to go when the interval is checked; the first two are G4's."""
JUDGED = 2
SLOPES = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
OTHER_NOISES = ((OUTLIERS, "G2", 1.2), (EXCEPTION, "G2", 1.2), (CORRELATED, "G3", 1.2 * 2.08))
G1_RATIO, PER_DAY, G4_RATIO, G8_NS, G8_FLOATS = 1.15, 0.1, 1.3, 100.0, 24.0
"""Targets of shared/early-warning.md, "Goals"."""


def ramps(quick: bool, progress: Tell) -> dict[str, Any]:
    """The document of the set "ramps". quick: fewer tags and slopes. progress: told what is being
    done and the share that is done, 0 to 1."""
    runs, days = (150, 0.5) if quick else (800, 2.0)
    slopes = SLOPES[2:5] if quick else SLOPES
    report, chance = Report("ramps"), np.random.default_rng(20261122)
    progress("white noise", 0.0)
    white = Detector(runs, WHITE)
    white.run(DAY // 2 if quick else DAY, chance)
    threshold = oracle.tuned(white.run(round(days * DAY), chance), PER_DAY)
    _false_alarms(report, white, threshold, "G1", chance, days)
    for n, slope in enumerate(slopes):
        progress(f"ramp of {slope:g} per sample", 0.1 + 0.2 * n / len(slopes))
        best = oracle.DELAYS.get(slope) or oracle.oracle_delay(slope, 2000, 200, chance)
        _delay(report, white, threshold, slope, best, "G1", G1_RATIO, chance)
    for n, (noise, goal, ratio) in enumerate(OTHER_NOISES):
        progress(noise.name, 0.3 + 0.15 * n)
        detector = Detector(runs, noise)
        detector.run(DAY // 2 if quick else DAY, chance)
        _false_alarms(report, detector, threshold, goal, chance, days)
        for slope in slopes if quick else slopes[:5]:
            best = oracle.DELAYS[slope]
            _delay(report, detector, threshold, slope, best, goal, ratio, chance)
    progress("time to the limit", 0.75)
    _intervals(report, 200 if quick else 800, AHEAD[:JUDGED] if quick else AHEAD, chance)
    progress("cost", 0.95)
    _cost(report, chance)
    report.notes.append(
        f"threshold {threshold:.3f} of the shipped one gives {PER_DAY:g} per tag-day on the tuning "
        "part; delays are grouped medians in samples of 10 s, slopes in sigma per sample"
    )
    return report.document()


def tags(count: int, noise: Noise, interval_s: float = INTERVAL / SECOND) -> list[Tag]:
    """Equal tags with ids from 1; values are in standard deviations of the noise."""
    by_exception = noise.deadband > 0
    one = Tag(
        1, 1, 2, 3, "R", TagKind.OTHER, "", datetime(2026, 1, 1, tzinfo=UTC),
        range=(-100.0, 100.0), limits={Kind.HH: LIMIT}, interval_s=interval_s,
        max_silence_s=600.0 if by_exception else None,
        report_deadband=noise.deadband or None,
    )  # fmt: skip
    return [replace(one, id=n) for n in range(1, count + 1)]


def nobody(of: Sequence[Tag]) -> Collector:
    """Takes findings of these tags, for nobody to read."""
    return Collector(compile_plan(Registry(1, {}, (), {tag.id: tag for tag in of})))


class Stream:
    """Samples of many tags at equal times, thinned where they are sent by exception.

    value, sent: float32[tags], what was measured and sent last. before: int64[tags].
    """

    def __init__(self, count: int, noise: Noise) -> None:
        self.noise, self.state = noise, np.zeros(count, np.float32)
        self.sent = np.full(count, np.nan)
        self.before = np.full(count, NEVER, np.int64)
        self.now = 0

    def samples(self, value: Singles) -> Samples:
        """The next sample of each tag that sends one."""
        self.now += INTERVAL
        which = np.arange(len(value))
        if self.noise.deadband:
            silent = self.now - self.before < HEARTBEAT * INTERVAL
            same = np.abs(value - self.sent) < self.noise.deadband
            which = np.flatnonzero(~(silent & same))
        sent, good = value[which].astype(np.float64), np.ones(len(which), np.bool_)
        samples = Samples(
            which, np.full(len(which), self.now), sent, good, good, sent, self.before[which],
            self.sent[which], np.arange(len(which)), None,
        )  # fmt: skip
        self.before[which], self.sent[which] = self.now, sent
        return samples


class Detector:
    """The kernel of CHANGE over many tags, with its own noise."""

    def __init__(self, count: int, noise: Noise) -> None:
        own = tags(count, noise)
        self.table = change.table_of(own, change_model())
        self.memory = change.fresh(self.table)
        self.stream = Stream(count, noise)
        self.nobody = nobody(own)

    def run(self, length: int, chance: np.random.Generator, slope: float = 0.0) -> Singles:
        """Scores over the threshold of each tag, float32[length, tags], 0 without a sample."""
        noise = self.stream.noise.chunk(length, self.stream.state, chance)
        out = np.zeros(noise.shape, np.float32)
        for n, value in enumerate(noise):
            samples = self.stream.samples(value + np.float32(slope * (n + 1)))
            ratio = np.zeros(len(samples), np.float32)
            change.take(self.table, self.memory, samples, self.nobody, ratio)
            out[n, samples.slot] = ratio
        return out

    def ramp(self, slope: float, length: int, chance: np.random.Generator) -> Singles:
        """Scores on ramps that begin now; the detector stays as it is."""
        kept = self.memory, self.stream
        self.memory, self.stream = deepcopy(kept)
        out = self.run(length, chance, slope)
        self.memory, self.stream = kept
        return out


def _false_alarms(
    report: Report,
    detector: Detector,
    threshold: float,
    goal: str,
    chance: np.random.Generator,
    days: float,
) -> None:
    """Rates on noise that nothing was tuned on, at the tuned threshold and at the shipped one."""
    free = detector.run(round(days * DAY), chance)
    days, found = free.size / DAY, oracle.episodes(free, threshold)
    target = 2 * PER_DAY
    name = detector.stream.noise.name
    low, high = report_interval(found, days)
    measure = f"{name}: false alarms per tag-day"
    report.add(measure, found / days, goal=goal, interval=(low, high), target=f"<= {target:g}")
    shipped = oracle.episodes(free, 1.0)
    measure = f"{name}: the same at the shipped threshold (meant {change_model().warn.per_day:g})"
    report.add(measure, shipped / days, interval=report_interval(shipped, days))
    report.fault_free_days += days
    report.false += found


def report_interval(count: int, days: float) -> tuple[float, float]:
    """95 % interval of a rate per day."""
    low, high = poisson(count)
    return low / days, high / days


def _delay(
    report: Report,
    detector: Detector,
    threshold: float,
    slope: float,
    best: float,
    goal: str,
    ratio: float,
    chance: np.random.Generator,
) -> None:
    reached = detector.ramp(slope, int(8 * best) + 20, chance) >= threshold
    delays = np.where(reached.any(axis=0), np.argmax(reached, axis=0) + 1, len(reached) + 1)
    median = oracle.grouped_median(delays)
    measure = f"{detector.stream.noise.name}: delay at slope {slope:g} over the oracle's {best:.4g}"
    report.add(measure, median / best, goal=goal, target=f"<= {ratio:.4g}")


def _intervals(
    report: Report,
    runs: int,
    cases: Sequence[tuple[float, int]],
    chance: np.random.Generator,
) -> None:
    for noise in (WHITE, OUTLIERS, Noise("AR(0.5)", phi=0.5), CORRELATED):
        for n, (slope, to_go) in enumerate(cases):
            _interval(report, noise, runs, slope, to_go, n < JUDGED, chance)


def _interval(
    report: Report,
    noise: Noise,
    runs: int,
    slope: float,
    to_go: int,
    judged: bool,
    chance: np.random.Generator,
) -> None:
    """One noise, one slope: coverage, share of intervals that are finite, error over the bound."""
    length = round(LIMIT / slope) - to_go
    expected, earliest, latest = _times(noise, runs, slope, length, chance)
    known = np.isfinite(expected)
    inside = known & (earliest <= to_go) & (to_go <= latest)
    name = f"{noise.name}, slope {slope:g}, {to_go} samples to go"
    hits, of = int(inside.sum()), int(known.sum())
    share, within = hits / of if of else 0.0, binomial(hits, of)
    report.add(f"{name}: interval covers", share, goal="G4", interval=within, target=">= 0.9")
    report.add(f"{name}: and no more", share, goal="G4", interval=within, target="<= 0.98")
    report.add(f"{name}: finite", of / runs)
    spread = 4 / length + 12 * to_go / length**2 + 12 * to_go**2 / length**3
    bound = 0.6745 / slope * (spread * (1 + noise.phi) / (1 - noise.phi)) ** 0.5
    error = float(np.median(np.abs(expected[known] - to_go))) if of else np.inf
    goal, target = ("G4", f"<= {G4_RATIO:g}") if judged else (None, None)
    report.add(f"{name}: median error over the bound", error / bound, goal=goal, target=target)


def _times(
    noise: Noise, runs: int, slope: float, length: int, chance: np.random.Generator
) -> NDArray[np.float64]:
    """Samples to go after so many samples of ramp: expected, earliest, latest."""
    table = table_of(tags(runs, noise), set(), forecast_model())
    memory, stream = forecast.fresh(table), Stream(runs, noise)
    found = nobody(tags(runs, noise))
    for begin, end, lean in ((0, 1500, 0.0), (0, length, slope)):
        for n, value in enumerate(noise.chunk(end - begin, stream.state, chance)):
            level = np.float32(lean * (n + 1))
            forecast.take(table, memory, stream.samples(value + level), found)
    known = table.law, table.sorts, table.sort, memory.known, no_discounts()
    return np.array([look(*known, row, 1)[1] for row in range(runs)]).T * SECOND / INTERVAL


def _cost(report: Report, chance: np.random.Generator) -> None:
    """CPU time of both kernels for a sample of each of 100,000 tags, and floats of their state."""
    count, steps = 100_000, 24
    own = tags(count, WHITE)
    moved, ahead = change.table_of(own, change_model()), table_of(own, set(), forecast_model())
    memories = change.fresh(moved), forecast.fresh(ahead)
    stream, found, took = Stream(count, WHITE), nobody(own), []
    for _ in range(steps):
        samples = stream.samples(chance.standard_normal(count, np.float32))
        began = process_time()
        change.take(moved, memories[0], samples, found)
        forecast.take(ahead, memories[1], samples, found)
        took.append((process_time() - began) / count * 1e9)
    late = took[steps // 2 :]
    report.add(
        "CHANGE and PREDICT, 100,000 tags: CPU ns per sample", float(np.median(late)), goal="G8",
        interval=(min(late), max(late)), target=f"<= {G8_NS:g}",
    )  # fmt: skip
    floats = sum(_floats(memory) for memory in memories)
    report.add("floats of state per tag", floats, goal="G8", target=f"<= {G8_FLOATS:g}")
    size = sum(_bytes(memory) for memory in memories)
    report.add("bytes of memory per tag, flags, counters and onsets included", size)


def _floats(memory: Any) -> float:
    """Float32 equivalents of what is estimated; counters, flags and onsets are none."""
    counted = ("onset", "count", "run", "seen", "line", "base", "clipped", "held", "side")
    size = sum(array[:1].nbytes for name, array in _columns(memory) if name not in counted)
    return size / 4


def _columns(memory: Any) -> Iterator[tuple[str, NDArray[Any]]]:
    """The arrays of a memory, and those that records in them make."""
    for field in fields(memory):
        array = getattr(memory, field.name)
        names = array.dtype.names
        yield from ((name, array[name]) for name in names) if names else ((field.name, array),)


def _bytes(memory: Any) -> float:
    arrays = [getattr(memory, field.name) for field in fields(memory)]
    return float(sum(array.nbytes for array in arrays) / len(memory.onset))
