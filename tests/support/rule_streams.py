"""Random small plants and streams for the rules, of coarse times and values: ties are common."""

from dataclasses import dataclass, replace
from datetime import timedelta
from math import nan

from hypothesis import strategies as st

from domain.alarms import Kind
from domain.frame import Frame
from domain.instant import SECOND, micros
from domain.plant import Registry, Tag, TagKind
from tests.support import builders
from tests.support.builders import START

ZERO = micros(START)
LEVELS = {Kind.LL: 10.0, Kind.L: 20.0, Kind.H: 80.0, Kind.HH: 90.0}
VALUES = [0.0, 5.0, 10.0, 14.0, 20.0, 21.0, 50.0, 79.0, 80.0, 80.5, 84.0, 90.0, 95.0, 105.0, nan]
QUALITIES = [192, 192, 192, 192, 216, 64, 0, 85, 86]


@dataclass(frozen=True)
class Sample:
    """One reading. at: judged time, arrived: when it reached us, both in microseconds."""

    tag: int
    at: int
    arrived: int
    value: float
    quality: int


def tags() -> st.SearchStrategy[Tag]:
    """A tag of id 0, to be numbered by `plants`."""
    return st.builds(
        builders.tag,
        kind=st.sampled_from([TagKind.LEVEL, TagKind.GAS_TOXIC, TagKind.OTHER]),
        source=st.sampled_from([3, 30]),
        since=st.just(START - timedelta(seconds=7)),
        range=st.sampled_from([(0.0, 100.0), None]),
        limits=st.sets(st.sampled_from(list(LEVELS))).map(
            lambda kinds: {kind: LEVELS[kind] for kind in kinds}
        ),
        deadband=st.sampled_from([None, 0.0, 1.0, 3.0]),
        delay_on_s=st.sampled_from([None, 0.0, 1.0, 3.0, 6.0]),
        delay_off_s=st.sampled_from([None, 0.0, 1.0, 4.0]),
        rate_per_min=st.sampled_from([None, 30.0, 300.0]),
        rate_window_s=st.sampled_from([None, 2.0, 3.0]),
        interval_s=st.sampled_from([1.0, 2.0]),
        max_silence_s=st.sampled_from([None, 2.0, 5.0, 9.0, 100.0]),
    )


@st.composite
def plants(draw: st.DrawFn, most: int = 4) -> Registry:
    """Up to `most` tags of up to two sources; ids with holes."""
    drawn = draw(st.lists(tags(), min_size=1, max_size=most))
    numbered = [
        replace(tag, id=2 + 3 * n, name=f"LI{n}", limits=meaningful(tag))
        for n, tag in enumerate(drawn)
    ]
    return builders.registry(*numbered)


def meaningful(tag: Tag) -> dict[Kind, float]:
    """Gases have no low limits."""
    low = (Kind.LL, Kind.L) if tag.kind is TagKind.GAS_TOXIC else ()
    return {kind: limit for kind, limit in tag.limits.items() if kind not in low}


def frame_of(samples: list[Sample], received: int) -> Frame:
    """The samples as one frame."""
    return Frame.of(
        [s.tag for s in samples],
        [s.at for s in samples],
        [s.value for s in samples],
        received=received,
        quality=[s.quality for s in samples],
    )


@st.composite
def steps(draw: st.DrawFn, registry: Registry) -> list[tuple[Frame | None, int]]:
    """Anything that may happen: late, repeated, shuffled and unknown samples, and ticks.

    (frame or None, wall time of the step in microseconds).
    """
    known = [*registry.tags, 1, 99]
    wall, out = ZERO, []
    for _ in range(draw(st.integers(1, 12))):
        wall += draw(st.integers(1, 8)) * SECOND // 2
        rows = draw(
            st.lists(
                st.tuples(
                    st.sampled_from(known),
                    st.integers(0, 8),
                    st.sampled_from(VALUES),
                    st.sampled_from(QUALITIES),
                ),
                max_size=10,
            )
        )
        samples = [Sample(t, wall - ago * SECOND // 2, wall, v, q) for t, ago, v, q in rows]
        later = draw(st.sampled_from([0, 0, 1, 3, 70, 200]))
        out.append((frame_of(samples, wall) if samples else None, wall + later * SECOND))
        wall += later * SECOND
    return out


@st.composite
def jumps(draw: st.DrawFn, registry: Registry) -> list[Sample]:
    """One sample of some tag after the other, of any value."""
    late = {tag: draw(st.integers(0, 3)) * SECOND for tag in registry.tags}
    now, out = ZERO, []
    for _ in range(draw(st.integers(1, 40))):
        now += draw(st.sampled_from([1, 1, 1, 1, 2, 5, 12, 150])) * SECOND // 2
        tag = draw(st.sampled_from(list(registry.tags)))
        value, quality = draw(st.sampled_from(VALUES)), draw(st.sampled_from(QUALITIES))
        out.append(Sample(tag, now - late[tag], now, value, quality))
    return out


@st.composite
def ramps(draw: st.DrawFn, registry: Registry) -> list[Sample]:
    """All tags rise and fall together in straight lines, a sample each second, some left out."""
    legs = draw(st.lists(st.tuples(st.integers(2, 12), st.sampled_from([-7.3, 0.0, 0.45, 7.3]))))
    left_out = draw(st.sets(st.integers(0, 100)))
    slopes = [slope for n, slope in legs for _ in range(n)] or [0.0]
    now, value, out = ZERO, 50.0, []
    for slope in slopes:
        now, value = now + SECOND, value + slope
        out += [Sample(tag, now, now + SECOND // 10, value, 192) for tag in registry.tags]
    return [sample for n, sample in enumerate(out) if n not in left_out] or out


def streams(registry: Registry) -> st.SearchStrategy[list[Sample]]:
    """Samples by rising arrival; those of one tag are newer each time and all equally late."""
    return st.one_of(jumps(registry), ramps(registry))
