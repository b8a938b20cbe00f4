"""A feed through the real engine: every frame, and every tick that can matter, in order of time."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from domain.alarms import Edge, Finding
from domain.frame import Frame
from domain.instant import micros, moment
from domain.plant import Registry
from hazwatch.evaluate.feed import Feed, frames
from hazwatch.evaluate.score import Warned
from ingest.spans import Spans
from rules.compiling import compile_plan
from rules.engine import next_due, step
from rules.plan import Plan
from rules.state import RuleState

Progress = Callable[[float], None]
"""Told the share that is done, 0 to 1."""
REPORT_EVERY = 200


@dataclass(frozen=True, slots=True)
class Told:
    """A finding and the wall time, microseconds, of the step that told it."""

    finding: Finding
    at: int


class Engine:
    """The engine of one registry, on simulated time."""

    def __init__(self, registry: Registry, begin: int) -> None:
        self.registry = registry
        self.plan: Plan = compile_plan(registry)
        self.state = RuleState.fresh(self.plan, begin)
        self.spans = Spans(registry)
        self.ids = np.array(sorted(registry.tags), np.int32)

    def feed(self, feed: Feed, progress: Progress | None = None) -> Iterator[Told]:
        """What is found in a feed, each with the time at which it was known."""
        begin, end = int(feed.at[0]), int(feed.at[-1])
        for n, frame in enumerate(frames(feed, self.ids, self.spans)):
            yield from self.step(frame)
            if progress is not None and n % REPORT_EVERY == 0:
                progress((frame.received - begin) / max(end - begin, 1))

    def step(self, frame: Frame) -> Iterator[Told]:
        """The ticks that are due before a frame, and the frame."""
        yield from self.ticks(frame.received)
        at = moment(frame.received)
        for finding in step(self.plan, self.state, frame, at):
            yield Told(finding, frame.received)

    def ticks(self, until: int) -> Iterator[Told]:
        """Every tick that can matter before wall time `until`."""
        last = None
        while (due := next_due(self.plan, self.state)) is not None and micros(due) < until:
            if last is not None and due <= last:
                return
            last = due
            for finding in step(self.plan, self.state, None, due):
                yield Told(finding, micros(due))


def warnings_of(told: list[Told], registry: Registry, end: int) -> list[Warned]:
    """From raise to return. What is still on ends at `end`. Node alarms carry the node's code."""
    open_: dict[tuple[str, str], tuple[int, tuple[float, float] | None]] = {}
    out: list[Warned] = []
    for one in told:
        finding = one.finding
        if finding.tag is not None:
            subject = registry.tags[finding.tag].name
        else:
            assert finding.node is not None
            subject = registry.nodes[finding.node].code
        key = subject, finding.kind.name
        if finding.edge is Edge.RAISED:
            open_.setdefault(key, (one.at, _due(finding)))
        elif finding.edge in (Edge.RETURNED, Edge.CLOSED) and key in open_:
            begin, due = open_.pop(key)
            out.append(Warned(*key, begin, one.at, due))
    out += [Warned(*key, begin, end, due) for key, (begin, due) in open_.items()]
    return sorted(out, key=lambda warned: warned.begin)


def _due(finding: Finding) -> tuple[float, float] | None:
    if {"earliest", "latest"} <= finding.detail.keys():
        return finding.detail["earliest"], finding.detail["latest"]
    return None
