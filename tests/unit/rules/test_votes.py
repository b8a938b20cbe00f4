"""Voting: raises only, degrades towards sensitivity, and agrees with a slow reference."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from itertools import pairwise, product
from math import inf, nan
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain import policy
from domain.alarms import Kind
from domain.frame import Frame
from domain.instant import SECOND, micros, moment
from domain.plant import Node, Registry, Tag, TagKind
from domain.problem import DocumentError
from hazwatch.commands.site import read_watchable
from rules import votes as votes_layer
from rules.compiling import compile_plan
from rules.engine import next_due, step
from rules.plan import PlanError
from rules.state import RuleState, carry
from tests.support.builders import ENTERPRISE, SOURCE, START, at, frame, registry, tag
from tests.support.reference_joint import (
    Condition,
    Plant,
    Reading,
    Row,
    Told,
    by_subject,
    told,
    us,
)
from tests.support.rule_log import RuleLog, tidy
from tests.support.sites import enterprise, site_data
from tests.support.sites import tag as tag_entry

KINDS = ("VOTE", "VOTE_UNKNOWN")
ZERO = micros(START)
GROUP = 40


def gas(id: int, **members) -> Tag:
    limits = {Kind.H: 20.0, Kind.HH: 40.0}
    said: dict[str, Any] = {
        "kind": TagKind.GAS_TOXIC,
        "unit": "ppm",
        "limits": limits,
        "deadband": 4.0,
    } | members
    return tag(id, f"GD-{id}", range=(0, 100), interval_s=5.0, **said)


def group(vote: str, *tags: Tag, id: int = GROUP, **detail) -> Node:
    said = {"kind": "vote", "vote": vote, "members": [one.name for one in tags]} | detail
    return Node(id, SOURCE, "group", f"G{id}", f"G{id}", ENTERPRISE, None, said)


def plant(vote: str, *tags: Tag, **detail) -> Registry:
    return registry(*tags, nodes=[group(vote, *tags, **detail)])


THREE = (gas(1), gas(2), gas(3))


def votes(log: str, vote: str = "2oo3", tags: tuple[Tag, ...] = THREE) -> str:
    """The log with what the votes found."""
    found = RuleLog(plant(vote, *tags)).replay(log).splitlines()
    return "\n".join(line for line in found if not line.startswith("=>") or " VOTE" in line)


@pytest.mark.parametrize(
    "story",
    [
        """
        08:00:00  GD-1 5 | GD-2 5 | GD-3 5
        08:00:05  GD-1 40 | GD-2 5 | GD-3 39.9
        08:00:10  GD-1 41 | GD-2 40 | GD-3 5
                  => node 40 VOTE RAISED onset 08:00:10 effective 08:00:10 value 2 limit 2
        08:00:15  GD-1 36 | GD-2 36 | GD-3 5
        08:00:20  GD-1 35.9 | GD-2 36 | GD-3 5
        08:00:45  GD-1 5 | GD-2 50 | GD-3 5
        08:00:50  tick
                  => node 40 VOTE RETURNED onset 08:00:10 effective 08:00:50 value 1 limit 2
        """,
        """
        08:00:00  GD-1 40 | GD-2 5 | GD-3 5
        08:00:05  GD-3 - bad
                  => node 40 VOTE RAISED onset 08:00:05 effective 08:00:05 value 1 limit 1
        08:00:10  GD-3 5 | GD-1 40
        08:00:40  tick
                  => node 40 VOTE RETURNED onset 08:00:05 effective 08:00:40 value 1 limit 2
        """,
        """
        08:00:00  GD-1 5 | GD-2 5 | GD-3 5
        08:00:30  GD-1 5 over | GD-2 60 uncertain
                  => node 40 VOTE RAISED onset 08:00:30 effective 08:00:30 value 2 limit 2
        08:00:35  GD-1 5 uncertain | GD-2 - bad
        08:09:00  tick
                  => node 40 VOTE_UNKNOWN RAISED onset 08:01:00 effective 08:01:00
        08:09:10  GD-1 5 | GD-2 5 | GD-3 5
        08:09:40  tick
                  => node 40 VOTE RETURNED onset 08:00:30 effective 08:09:40 value 0 limit 2
                  => node 40 VOTE_UNKNOWN RETURNED onset 08:01:00 effective 08:09:40
        """,
        """
        08:00:00  GD-1 5 | GD-2 5
        08:01:00  tick
        08:01:01  tick
                  => node 40 VOTE_UNKNOWN RAISED onset 08:01:00 effective 08:01:00
        """,
    ],
    ids=[
        "two of three, inclusive, held in the deadband",
        "one bad: 1oo2",
        "over-range and flagged vote; loss of data ends nothing; none good is unknown",
        "silence",
    ],
)
def test_a_story(story: str):
    assert votes(story) == tidy(story)


def test_a_member_that_is_lost_in_alarm_holds_the_vote_and_only_its_own_word_ends_it():
    story = """
        08:00:00  GD-1 5 | GD-2 5
        08:00:05  GD-1 50
                  => node 40 VOTE RAISED onset 08:00:05 effective 08:00:05 value 1 limit 1
        08:00:10  GD-1 - bad | GD-2 5
        08:00:50  GD-2 5
        08:01:40  GD-2 5
        08:02:30  GD-2 5
        08:02:35  GD-1 5
        08:03:05  tick
                  => node 40 VOTE RETURNED onset 08:00:05 effective 08:03:05 value 0 limit 1
        """
    assert votes(story, "1oo2", THREE[:2]) == tidy(story)


def test_the_level_is_the_one_that_is_said_or_that_most_members_have():
    first = plant("1oo2", gas(1), gas(2), level="H")
    log = "08:00:00 GD-1 20"
    assert any("VOTE RAISED" in line for line in RuleLog(first).line(log))
    mixed = plant("1oo2", gas(1, limits={Kind.H: 20.0}), gas(2, limits={Kind.H: 30.0}))
    assert any("VOTE RAISED" in line for line in RuleLog(mixed).line(log))
    both = {Kind.L: 19.5, Kind.H: 23.5}
    oxygen = [gas(n, kind=TagKind.OXYGEN, unit="%VOL", limits=both, deadband=0.1) for n in (1, 2)]
    low = plant("1oo2", *oxygen, level="L")
    assert any("VOTE RAISED" in line for line in RuleLog(low).line("08:00:00 GD-1 19.5"))


def test_a_member_without_the_limit_has_left_for_good():
    dumb = gas(3, limits={})
    log = RuleLog(plant("2oo3", gas(1), gas(2), dumb))
    log.line("08:00:00 GD-1 5 | GD-2 5 | GD-3 5")
    (line,) = [line for line in log.line("08:00:05 GD-1 50 | GD-3 50") if "VOTE" in line]
    assert "value 1 limit 1" in line
    none = RuleLog(plant("2oo3", *(gas(n, limits={}) for n in (1, 2, 3))))
    assert any("VOTE_UNKNOWN RAISED" in line for line in none.line("08:00:01 GD-1 5"))


def test_a_limit_that_the_mode_switches_off_is_no_fault_and_no_other_limit_takes_its_place():
    off = {"empty": {Kind.HH: nan}}
    own = {"kind": TagKind.LEVEL, "unit": "%", "deadband": 1.0}
    tags = [replace(gas(n, **own), limits_by_mode=off) for n in (1, 2, 3)]
    plan = compile_plan(plant("1oo3", *tags), {SOURCE: "empty"})
    state = RuleState.fresh(plan, ZERO)
    samples = frame((0, 1, 50.0), (0, 2, 50.0), (0, 3, 50.0))
    assert not told(step(plan, state, samples, at(0)), KINDS)
    assert not told(step(plan, state, None, at(9000)), KINDS)


def test_the_alarm_carries_members_values_and_the_priority_of_the_highest_member():
    plan = compile_plan(plant("2oo3", *THREE))
    state = RuleState.fresh(plan, ZERO)
    step(plan, state, frame((0, 1, 5.0), (0, 2, 6.0), (0, 3, 7.0)), at(0))
    found = step(plan, state, frame((5, 1, 50.0), (5, 3, nan)), at(5))
    (vote,) = [one for one in found if one.kind is Kind.VOTE]
    assert (vote.value, vote.limit, vote.detail["needed"], vote.detail["members"]) == (1, 1, 2, 3)
    assert (vote.detail["voting"], vote.detail["out"]) == (0b001, 0b100)
    assert [vote.detail[f"tag_{k}"] for k in range(3)] == [1, 2, 3]
    assert [vote.detail[f"value_{k}"] for k in range(3)] == [50.0, 6.0, 7.0]
    assert vote.detail["priority"] == 1


def test_a_group_of_which_no_member_is_good_is_p2_whatever_its_vote_would_be():
    plan = compile_plan(plant("2oo3", *THREE))
    state = RuleState.fresh(plan, ZERO)
    step(plan, state, frame((0, 1, 5.0), (0, 2, 6.0), (0, 3, 7.0)), at(0))
    found = step(plan, state, None, at(120))
    (unknown,) = [one for one in found if one.kind is Kind.VOTE_UNKNOWN]
    assert unknown.detail["priority"] == 2


@pytest.mark.parametrize(
    ("vote", "members", "sentence"),
    [
        ("4oo3", ("GD-1", "GD-2", "GD-3"), "4 votes of 3; allowed: 1 to 3"),
        ("2oo2", ("GD-1", "GD-9"), "no tag 'GD-9' in the enterprise"),
        ("1oo51", tuple(f"GD-{n}" for n in range(51)), "51 members; allowed: 1 to 50"),
    ],
)
def test_a_group_that_cannot_vote_is_no_plan(vote, members, sentence):
    known = [gas(n) for n in range(1, 4)]
    node = Node(
        GROUP, SOURCE, "group", "G", "G", ENTERPRISE, None, {"vote": vote, "members": members}
    )
    with pytest.raises(PlanError, match="group 'G'") as caught:
        compile_plan(registry(*known, nodes=[node]))
    assert any(sentence in problem for problem in caught.value.problems)


def test_the_site_check_takes_no_group_that_can_never_vote():
    names = ("LT-1", "LT-2")
    data = site_data(enterprise("e1", *(tag_entry(name, limits={}) for name in names)))
    source = data["enterprises"][0]["sources"][0]
    source["groups"] = [{"code": "G", "vote": "1oo2", "members": list(names)}]
    with pytest.raises(DocumentError) as caught:
        read_watchable(json.dumps(data))
    (problem,) = caught.value.problems
    assert problem.path == "enterprises[0].sources[0].groups[0]"
    assert "can never vote; give its members the limit to vote on" in problem.text
    source["tags"][0]["limits_by_mode"] = {"empty": {"HH": 5}}
    assert read_watchable(json.dumps(data))
    source["groups"][0]["level"] = "HH"
    assert read_watchable(json.dumps(data))
    source["groups"][0]["level"] = "L"
    with pytest.raises(DocumentError, match="no member has L; allowed: HH"):
        read_watchable(json.dumps(data))


# --- truth tables ---------------------------------------------------------------------------------

SAYS = {"calm": (5.0, 192), "votes": (50.0, 192), "bad": (nan, 0)}


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5])
def test_every_row_of_the_truth_table(n: int):
    """All groups MooN at once: each member calm, voting or bad after it was calm."""
    for words in product(SAYS, repeat=n):
        good = [word for word in words if word != "bad"]
        for m in range(1, n + 1):
            needed = max(1, m - (n - len(good)))
            expected = bool(good) and good.count("votes") >= needed
            assert _raised(m, words) == (expected, not good), (m, words)


_CACHE: dict[tuple[str, ...], dict[int, tuple[bool, bool]]] = {}


def _raised(m: int, words: tuple[str, ...]) -> tuple[bool, bool]:
    """(VOTE, VOTE_UNKNOWN) of the state that these words bring about, bad ones first."""
    if words not in _CACHE:
        n = len(words)
        tags = [gas(k) for k in range(1, n + 1)]
        nodes = [group(f"{k}oo{n}", *tags, id=100 + k) for k in range(1, n + 1)]
        plan = compile_plan(registry(*tags, nodes=nodes))
        state = RuleState.fresh(plan, ZERO)
        step(plan, state, frame(*[(0, k, 5.0) for k in range(1, n + 1)]), at(0))
        order = sorted(range(n), key=lambda k: words[k] == "votes")
        samples = [(5, k + 1, SAYS[words[k]][0]) for k in order]
        qualities = [SAYS[words[k]][1] for k in order]
        found = step(plan, state, frame(*samples, quality=qualities), at(5))
        told_of = {(one.node, one.kind.name) for one in found}
        _CACHE[words] = {
            k: ((100 + k, "VOTE") in told_of, (100 + k, "VOTE_UNKNOWN") in told_of)
            for k in range(1, n + 1)
        }
    return _CACHE[words][m]


# --- the reference --------------------------------------------------------------------------------


@dataclass
class VoteRow(Row):
    """A voting group in plain Python."""

    needed: int = 1
    limits: dict[int, tuple[float, float]] = field(default_factory=dict)
    voting: set[int] = field(default_factory=set)
    spoken: set[int] = field(default_factory=set)
    vote: Condition = field(default_factory=lambda: Condition("VOTE", off=us(30)))
    unknown: Condition = field(default_factory=lambda: Condition("VOTE_UNKNOWN", off=us(30)))

    def hear(self, reading: Reading) -> None:
        limit, band = self.limits[reading.tag]
        beyond = reading.starting >= limit
        if beyond:
            self.voting.add(reading.tag)
        elif reading.good and reading.value < limit - band:
            self.voting.discard(reading.tag)
        if beyond or reading.good:
            self.spoken.add(reading.tag)
            self.gone.discard(reading.tag)
        else:
            self.gone.add(reading.tag)

    def look(self, when: int) -> list[Told]:
        inside = set(self.silence) - self.gone
        needed = max(1, self.needed - len(self.gone))
        begins = bool(inside) and len(self.voting & inside) >= needed
        holds = not inside or len(self.voting | (inside - self.spoken)) >= needed
        return self.vote.look(when, begins, holds) + self.unknown.look(when, not inside, not inside)

    def own(self) -> int | None:
        dues = [one.due for one in (self.vote, self.unknown) if one.due is not None]
        return min(dues, default=None)


def reference(plant: Registry, grace: int) -> Plant:
    by_name = {one.name: one for one in plant.tags.values()}
    rows: dict[int, Row] = {}
    for node in plant.nodes.values():
        if node.kind == "group":
            members = [by_name[name] for name in cast(list[str], node.detail["members"])]
            rows[node.id] = VoteRow(
                {one.id: us(policy.silence_after(one)) for one in members},
                grace,
                needed=int(str(node.detail["vote"]).split("oo")[0]),
                limits={one.id: (40.0, policy.deadband(one, Kind.HH)) for one in members},
            )
    return Plant(rows)


@st.composite
def plants(draw: st.DrawFn) -> Registry:
    silence = st.sampled_from([4.0, 6.0, 40.0])
    tags = [gas(k, max_silence_s=draw(silence)) for k in range(1, draw(st.integers(2, 5)))]
    nodes = []
    for number in range(draw(st.integers(1, 3))):
        members = draw(st.lists(st.sampled_from(tags), min_size=1, unique_by=lambda one: one.id))
        m = draw(st.integers(1, len(members)))
        nodes.append(group(f"{m}oo{len(members)}", *members, id=GROUP + number))
    return registry(*tags, nodes=nodes)


VALUES = [5.0, 35.0, 36.0, 38.0, 40.0, 55.0, nan, inf, 1e308]
QUALITIES = [192, 192, 192, 192, 64, 0, 86, 85]


@st.composite
def streams(draw: st.DrawFn, plant: Registry, alike: bool = False) -> list[tuple[int, Reading]]:
    """(arrived, reading): each tag equally late always, and heard soon after the start: before that
    nobody knows how late it is, and a tick takes it for silent."""
    late = {id: us(draw(st.sampled_from([0, 0.5, 3]))) for id in plant.tags}
    if alike:
        late = dict.fromkeys(late, min(late.values()))
    now = ZERO + us(1)
    out = [(now + id, Reading(id, now + id - late[id], 5.0)) for id in plant.tags]
    for _ in range(draw(st.integers(1, 40))):
        now += us(draw(st.sampled_from([0.5, 0.5, 0.5, 1, 2, 7, 50])))
        one = draw(st.sampled_from(list(plant.tags)))
        value, quality = draw(st.sampled_from(VALUES)), draw(st.sampled_from(QUALITIES))
        out.append((now, Reading(one, now - late[one], value, quality)))
    return out


def frame_of(readings: Iterable[Reading], received: int) -> Frame:
    some = list(readings)
    return Frame.of(
        [one.tag for one in some],
        [one.at for one in some],
        [one.value for one in some],
        received=received,
        quality=[one.quality for one in some],
    )


def run(plant: Registry, stream, cuts: Iterable[int], ticks: Iterable[int]):
    """What the engine finds of a stream cut after these positions, with these ticks."""
    plan = compile_plan(plant)
    state = RuleState.fresh(plan, ZERO)
    edges = [0, *sorted(n for n in set(cuts) if 0 < n < len(stream)), len(stream)]
    parts = [stream[begin:end] for begin, end in pairwise(edges)]
    walls: dict[int, list] = {stream[-1][0] + us(9000): []}
    walls |= {w: [] for w in ticks if not any(p[0][0] <= w <= p[-1][0] for p in parts)}
    walls |= {part[-1][0]: part for part in parts}
    out = []
    for wall, part in sorted(walls.items()):
        by_tag = sorted((one for _, one in part), key=lambda one: one.tag)
        samples = frame_of(by_tag, wall) if part else None
        out += told(step(plan, state, samples, moment(wall)), KINDS)
    return by_subject(out)


@given(st.data())
@settings(max_examples=60)
def test_it_agrees_with_the_reference_and_no_cut_and_no_tick_changes_anything(data):
    """Frames are sorted by tag, as ours are; where tags are late by different times, samples of one
    frame pass in the order of their event times, so there only single samples are compared."""
    plant = data.draw(plants())
    alike = data.draw(st.booleans())
    stream = data.draw(streams(plant, alike))
    slow = reference(plant, ZERO)
    expected = []
    for arrived, reading in stream:
        expected += slow.frame([reading], arrived) + slow.tick(arrived)
    expected += slow.tick(stream[-1][0] + us(9000))
    assert run(plant, stream, range(len(stream)), []) == by_subject(expected)
    if not alike:
        return
    cuts = data.draw(st.sets(st.integers(0, len(stream))))
    ticks = data.draw(st.sets(st.integers(ZERO + 1, stream[-1][0])))
    assert run(plant, stream, cuts, ticks) == by_subject(expected)
    assert run(plant, stream, [], range(ZERO, stream[-1][0], SECOND)) == by_subject(expected)


@given(st.data())
@settings(max_examples=40)
def test_a_snapshot_and_a_plan_that_is_swapped_for_its_like_change_nothing(data):
    plant = data.draw(plants())
    stream = data.draw(streams(plant))
    where = data.draw(st.integers(0, len(stream)))
    plan = compile_plan(plant)
    state, again = RuleState.fresh(plan, ZERO), RuleState.fresh(plan, ZERO)
    out: list[tuple[int, Told]] = []
    other: list[tuple[int, Told]] = []
    for n, (arrived, reading) in enumerate(stream):
        if n == where:
            again = RuleState.from_bytes(plan, again.to_bytes(plan))
            again, closed = carry(plan, again, compile_plan(plant), moment(arrived))
            assert not closed
        for into, one in ((out, state), (other, again)):
            found = step(plan, one, frame_of([reading], arrived), moment(arrived))
            into += told(found, KINDS)
    end = moment(stream[-1][0] + us(9000))
    assert other + told(step(plan, again, None, end), KINDS) == out + told(
        step(plan, state, None, end), KINDS
    )


@given(st.data())
@settings(max_examples=40)
def test_one_vote_more_or_one_member_less_never_clears(data):
    """At the instant of the word itself; what returns does so by its off-delay."""
    plant = data.draw(plants())
    plan = compile_plan(plant)
    state = RuleState.fresh(plan, ZERO)
    for arrived, reading in data.draw(streams(plant)):
        worse = Reading(
            reading.tag, reading.at, *data.draw(st.sampled_from([(55.0, 192), (nan, 0)]))
        )
        step(plan, state, None, moment(arrived))
        found = told(step(plan, state, frame_of([worse], arrived), moment(arrived)), KINDS)
        assert not [one for _, one in found if one[:2] == ("RETURNED", "VOTE")]


def test_ticking_at_next_due_is_enough():
    plan = compile_plan(plant("2oo3", *THREE))
    state = RuleState.fresh(plan, ZERO)
    step(plan, state, frame((0, 1, 50.0), (0, 2, 5.0), (0, 3, 5.0)), at(0))
    step(plan, state, frame((50, 1, 50.0), (50, 2, 5.0)), at(50))
    found = []
    while (due := next_due(plan, state)) is not None and due < at(200):
        found += told(step(plan, state, None, due), KINDS)
    assert [one[:2] for _, one in found] == [("RAISED", "VOTE"), ("RAISED", "VOTE_UNKNOWN")]


def test_after_a_restart_a_detector_in_alarm_does_not_outvote_those_not_heard_yet():
    plan = compile_plan(plant("2oo3", *THREE))
    state = RuleState.fresh(plan, ZERO)
    step(plan, state, frame((0, 1, 50.0), (0, 2, 5.0), (0, 3, 5.0)), at(0))
    away = RuleState.from_bytes(plan, state.to_bytes(plan))
    away.grace_from = micros(at(3600))
    assert not told(step(plan, away, None, at(3600)), KINDS)
    assert not told(step(plan, away, frame((3600, 1, 50.0)), at(3601)), KINDS)
    assert told(step(plan, away, frame((3661, 1, 50.0)), at(3661)), KINDS)


def test_an_adopted_vote_is_held_until_the_members_have_spoken():
    plan = compile_plan(plant("2oo3", *THREE))
    state = RuleState.fresh(plan, ZERO)
    assert state.adopt(plan, [(Kind.VOTE, GROUP, at(-100))]) == []
    assert not told(step(plan, state, frame((1, 1, 5.0)), at(40)), KINDS)
    step(plan, state, frame((41, 2, 5.0), (41, 3, 5.0), (41, 1, 5.0)), at(41))
    ((_, one),) = told(step(plan, state, None, at(80)), KINDS)
    assert one == ("RETURNED", "VOTE", micros(at(-100)), micros(at(71)))


@pytest.mark.parametrize("times", [(0, -5, 3e7, 1), (3e7, 3e7, 0, 6e7)])
def test_strange_times_and_values_raise_nothing(times):
    """And nothing is found when the loops run uncompiled that is not found when compiled."""
    plan = compile_plan(plant("2oo3", *THREE))
    found = []
    compiled: Any = votes_layer.follow
    for loop in (compiled, compiled.py_func):
        state = RuleState.fresh(plan, ZERO)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(votes_layer, "follow", loop)
            out = []
            for n, when in enumerate(times):
                for value in (nan, inf, -inf, 1e308, -1e308):
                    some = [(when + k, 1 + (n + k) % 3, value) for k in range(4)]
                    out += step(plan, state, frame(*some, received=when), at(when))
        found.append(told(out, KINDS))
    assert found[0] == found[1]


def test_the_loop_is_compiled_once():
    plan = compile_plan(plant("2oo3", *THREE))
    state = RuleState.fresh(plan, ZERO)
    step(plan, state, frame((0, 1, 50.0), (0, 2, 5.0)), at(0))
    step(plan, state, frame((5, 1, 50.0), (5, 2, nan), (6, 2, 5.0), (5, 3, 9.0)), at(99))
    step(plan, RuleState.from_bytes(plan, state.to_bytes(plan)), frame((150, 1, 50.0)), at(150))
    loop: Any = votes_layer.follow
    assert len(loop.signatures) == 1
