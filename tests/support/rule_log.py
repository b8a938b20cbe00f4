"""Stories for the rules, written like an operator's log.

Each line is a step: a time, then `tick` or readings `tag value [quality] [@time]` parted by `|`.
What comes in one line comes in one frame, received at the line's time; `@` is the time at which a
reading is judged, if that is another. Lines `=> …` are the findings of the step above, in order:

    08:00:10  LI 81.5 | TI 40 uncertain
    08:00:40  tick
              => LI H RAISED onset 08:00:10 effective 08:00:40 value 81.5 limit 80

A value `-` is none. `replay` carries out the steps and writes down what was found: the story is
right if it comes back as it was.
"""

from collections.abc import Collection
from datetime import datetime, time, timedelta
from math import isnan, nan

from domain.alarms import Finding, Kind
from domain.frame import Frame
from domain.instant import micros
from domain.plant import Registry
from domain.quality import WORDS, Quality
from rules.compiling import compile_plan
from rules.engine import step
from rules.plan import Plan
from rules.state import RuleState
from tests.support.builders import START

CORE = (Kind.LL, Kind.L, Kind.H, Kind.HH, Kind.ROC, Kind.OFFLINE, Kind.SOURCE_OFFLINE)
"""Kinds that no layer finds."""
QUALITIES = {**WORDS, "over": Quality.OVER_RANGE, "under": Quality.UNDER_RANGE}


class RuleLog:
    """A plant whose engine is fed line by line; it begins to listen at 08:00.

    kinds: those whose findings are told.
    """

    def __init__(self, registry: Registry, kinds: Collection[Kind] = tuple(Kind)) -> None:
        self.registry = registry
        self.kinds = kinds
        self.plan: Plan = compile_plan(registry)
        self.state = RuleState.fresh(self.plan, micros(START))
        self.ids = {tag.name: tag.id for tag in registry.tags.values()}

    def replay(self, log: str) -> str:
        """The log as it came out, its `=>` lines being what was found."""
        out = []
        for line in tidy(log).splitlines():
            if not line.startswith("=>"):
                out += [line, *self.line(line)]
        return "\n".join(out)

    def line(self, line: str) -> list[str]:
        """One step, and its findings in words."""
        clock, what = line.split(maxsplit=1)
        at = when(clock)
        frame = None if what == "tick" else self.frame(what, at)
        found = step(self.plan, self.state, frame, at)
        return [f"=> {self.words(finding)}" for finding in found if finding.kind in self.kinds]

    def frame(self, what: str, at: datetime) -> Frame:
        """The readings of one line."""
        tags, times, values, qualities = [], [], [], []
        for reading in what.split("|"):
            name, value, *rest = reading.split()
            times.append(micros(when(rest.pop()[1:]) if rest and rest[-1][0] == "@" else at))
            tags.append(self.ids.get(name, 999))
            values.append(nan if value == "-" else float(value))
            qualities.append(int(QUALITIES[rest[0]]) if rest else 192)
        return Frame.of(tags, times, values, received=micros(at), quality=qualities)

    def words(self, finding: Finding) -> str:
        """A finding as the log writes it."""
        if finding.tag is not None:
            subject = next(name for name, id in self.ids.items() if id == finding.tag)
        else:
            subject = f"node {finding.node}"
        parts = [
            f"{subject} {finding.kind.name} {finding.edge.name}",
            f"onset {clock_of(finding.onset)} effective {clock_of(finding.effective)}",
        ]
        if not isnan(finding.value):
            parts.append(f"value {finding.value:g}")
        if not isnan(finding.limit):
            parts.append(f"limit {finding.limit:g}")
        return " ".join(parts)


def tidy(log: str) -> str:
    """The log with single blanks and without empty lines."""
    lines = (" ".join(line.split()) for line in log.splitlines())
    return "\n".join(line for line in lines if line)


def when(clock: str) -> datetime:
    """An instant of the day of the story."""
    return datetime.combine(START.date(), time.fromisoformat(clock), START.tzinfo)


def clock_of(instant: datetime) -> str:
    """The time of day; of another day than the story's, with that day."""
    clock = instant.time().isoformat()
    days = (instant - when("00:00:00")) // timedelta(days=1)
    return clock if days == 0 else f"{days:+d}d {clock}"
