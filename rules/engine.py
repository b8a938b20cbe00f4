"""The engine: judge a frame, let time pass, and say when time can matter next.

Samples are judged as they arrive, each in the event time of its tag; ticks decide when a thing is
known, never when it began. So limits and rates find the same however the stream is cut into frames
and whatever ticks come in between, as long as a tag's samples reach us equally late (a tick may not
run ahead of samples that are still on their way).
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import numpy as np

from domain.alarms import Finding
from domain.frame import Frame
from domain.instant import FAR, NEVER, micros, moment
from rules import limits, rate, silence
from rules.findings import Collector
from rules.layers import LAYERS
from rules.plan import Plan
from rules.rows import Layer
from rules.samples import Samples, samples_of
from rules.state import RuleState

BLOCK = 32_768
"""Samples that are judged together: what they need stays in the cache of a core."""


def step(plan: Plan, state: RuleState, frame: Frame | None, at: datetime) -> list[Finding]:
    """What a frame, and then the wall time `at`, bring about; `state` is changed in place.

    frame: samples that may be judged live (`Frame.judged()`), in any order; unknown tags, and
    samples not newer than the last judged one of their tag, are passed over. `at` is not before
    `frame.received`. The findings of one tag and kind come in the order in which they happened.
    """
    silent, judged, heard = Collector(plan), Collector(plan), Collector(plan)
    # A reading of 1e308 is a reading: what overflows becomes infinite, and is compared as such.
    with np.errstate(over="ignore", invalid="ignore"):
        if frame is not None and len(frame) and len(plan):
            silence.pass_time(plan, state.silence, state.grace_from, frame.received, silent)
            _judge(plan, state, frame, judged, heard)
            silence.lose(plan, state.silence, frame)
        now = micros(at)
        limits.pass_time(plan, state.limits, now, state.at, state.received, state.held, judged)
        rate.pass_time(plan, state.rates, now, state.at, state.received, judged)
        silence.pass_time(plan, state.silence, state.grace_from, now, heard)
        seen = state.seen()
        for layer, table, memory in _at_work(plan, state):
            layer.pass_time(plan, table, memory, now, seen, judged)
    return silent.findings() + judged.findings() + heard.findings()


def next_due(plan: Plan, state: RuleState) -> datetime | None:
    """The earliest wall time at which a tick can matter if no sample comes before; None: never.

    A tick at that instant raises or returns something, or ends a window of the rate of change.
    """
    due = min(
        int(state.limits.wake.min()),
        rate.next_due(plan, state.rates, state.at, state.received),
        silence.next_due(plan, state.silence, state.grace_from),
        *(layer.next_due(table, memory) for layer, table, memory in _at_work(plan, state)),
    )
    return None if due == FAR else moment(due)


def _at_work(plan: Plan, state: RuleState) -> Iterator[tuple[Layer, Any, Any]]:
    """The layers that have rows, in order, with tables and memories."""
    for layer, table, memory in zip(LAYERS, plan.layers, state.layers, strict=True):
        if len(table.keys):
            yield layer, table, memory


def _judge(plan: Plan, state: RuleState, frame: Frame, judged: Collector, heard: Collector) -> None:
    samples = samples_of(plan, frame, state.at, state.held)
    if not len(samples):
        return
    whole = bool((state.silence.lost != NEVER).any())
    for part in [samples] if whole else samples.blocks(BLOCK):
        _judge_block(plan, state, part, frame.received, judged, heard)
    seen = state.seen()
    for layer, table, memory in _at_work(plan, state):
        layer.judge(plan, table, memory, samples, frame.received, seen, judged)


def _judge_block(
    plan: Plan,
    state: RuleState,
    samples: Samples,
    received: int,
    judged: Collector,
    heard: Collector,
) -> None:
    loud = limits.loud(plan, state.limits, samples)
    touched = samples.of_loud_tags(loud) if loud.any() else None
    if touched is not None:
        limits.judge(plan, state.limits, touched, received, judged)
    rate.judge(plan, state.rates, samples, received, judged)
    silence.hear(plan, state.silence, samples, received, heard)
    _remember(state, samples, received)


def _remember(state: RuleState, samples: Samples, received: int) -> None:
    """Last sample and last number of each tag. NumPy keeps the last of repeated positions."""
    where, value = samples.where, samples.value
    state.at[where] = samples.at
    state.received[where] = received
    number = ~np.isnan(value)
    if number.all():
        state.held[where] = value
    else:
        state.held[samples.slot[number]] = value[number]
