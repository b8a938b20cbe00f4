"""Alarms that chatter 抖动报警 or only flash 瞬时报警, one at a time. Pure.

| from     | event                                        | to        |
|----------|----------------------------------------------|-----------|
| calm     | the n-th activation within the window        | chattering|
| chattering | `quiet_s` without an activation            | calm      |

(domain.md 5.4: 3 activations in 60 s; the end is our proposal.) An activation is fleeting when it
was active for less than `fleeting_s` and no other one lies within `apart_s` of it, before or
after; that is known `apart_s` after it began.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from domain.alarm_noise import NoiseRules


@dataclass(frozen=True, slots=True)
class Chatter:
    """What is remembered of one alarm. recent: its newest activations, oldest first; active: it is
    on; ended: when its newest activation that is over was. since: when it began to chatter;
    repeats: activations of this spell."""

    recent: tuple[datetime, ...] = ()
    active: bool = False
    ended: datetime | None = None
    since: datetime | None = None
    repeats: int = 0
    alone: bool = False
    """The newest activation can still turn out fleeting."""


@dataclass(frozen=True, slots=True)
class Spell:
    """A spell of chattering that is over, and how often the alarm came in it."""

    since: datetime
    until: datetime
    repeats: int


@dataclass(frozen=True, slots=True)
class Said:
    """What a step brings: chattering that began, a spell that ended, when an activation began that
    was fleeting."""

    began: datetime | None = None
    ended: Spell | None = None
    fleeting: datetime | None = None


def activated(state: Chatter, at: datetime, rules: NoiseRules) -> tuple[Chatter, Said]:
    """The alarm after it came on at `at`; not older than what came before."""
    state, said = looked(state, at, rules)
    chatter = rules.chattering
    apart = timedelta(seconds=rules.apart_s)
    alone = not state.recent or at - state.recent[-1] >= apart
    recent = (*state.recent, at)[-chatter.activations :]
    state = replace(state, recent=recent, active=True, alone=alone)
    if state.since is not None:
        return replace(state, repeats=state.repeats + 1), said
    within = [one for one in recent if one > at - timedelta(seconds=chatter.window_s)]
    if len(within) < chatter.activations:
        return state, said
    return replace(state, since=at, repeats=len(within)), replace(said, began=at)


def returned(state: Chatter, at: datetime) -> Chatter:
    """The alarm after it went off at `at`; one that is off already stays as it is."""
    if not state.active:
        return state
    return replace(state, active=False, ended=at)


def looked(state: Chatter, at: datetime, rules: NoiseRules) -> tuple[Chatter, Said]:
    """The alarm at `at`, with nothing new."""
    if not state.recent:
        return state, Said()
    last, said = state.recent[-1], Said()
    if state.alone and at >= last + timedelta(seconds=rules.apart_s):
        short = (
            state.ended is not None
            and not state.active
            and ((state.ended - last).total_seconds() < rules.fleeting_s)
        )
        state, said = replace(state, alone=False), Said(fleeting=last if short else None)
    until = last + timedelta(seconds=rules.chattering.quiet_s)
    if state.since is not None and at >= until:
        said = replace(said, ended=Spell(state.since, until, state.repeats))
        state = replace(state, since=None, repeats=0)
    return state, said
