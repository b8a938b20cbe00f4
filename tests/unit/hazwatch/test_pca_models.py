"""Models beside their groups: which fit, what is said of the others, and what is told of groups."""

from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
import pytest

from domain.frame import Frame
from domain.instant import micros, moment
from domain.pca_record import PcaNow, PcaSight, sight_of
from domain.plant import Registry
from hazwatch.pca_learn import CannotLearn, address, group_called
from hazwatch.pca_models import with_models
from hazwatch.planning import planned
from hazwatch.told_groups import ToldGroups
from rules.engine import step
from rules.layers import LAYERS
from rules.pca import PCA
from rules.state import RuleState
from storage.entry import Entry, Spooled, decode, encode
from tests.support.builders import START, at
from tests.support.pca_groups import (
    EVERY,
    GROUP,
    NAMES,
    active,
    model,
    renewed,
    running,
    unit,
)

ZERO = micros(START)
MODEL = model()
ACTIVE = active(MODEL, 3)


def watched(plant: Registry) -> list[int]:
    plan, _ = planned(plant)
    return list(plan.layers[LAYERS.index(PCA)].keys.tolist())


def test_a_model_that_fits_its_group_is_watched():
    plant = with_models(unit(), [ACTIVE])
    assert watched(plant) == [GROUP]
    assert plant.nodes[GROUP].detail["model_version"] == 3
    assert "model" not in unit().nodes[GROUP].detail


@pytest.mark.parametrize(
    ("plant", "stored", "words"),
    [
        (unit(members=NAMES[:-1]), ACTIVE, "LI-1 left it since it was learnt; learn a new one"),
        (unit(members=(*NAMES, "TI-9")), ACTIVE, "TI-9 came to the group since"),
        (renewed(unit(), "PI-1", 77), ACTIVE, "'PI-1' was renewed .kind or unit.; learn a new"),
        (replace(unit(), tags={}), ACTIVE, "'TI-1' is not registered"),
        (unit(), replace(ACTIVE, text=ACTIVE.text.replace("0.", "1.", 1)), "digest differs"),
    ],
    ids=["a member left", "a member came", "a tag was renewed", "no tags", "damaged"],
)
def test_one_that_does_not_is_refused_in_words_and_nothing_else_is_lost(plant, stored, words):
    refused = with_models(plant, [stored])
    plan, unjudged = planned(refused)
    assert len(plan) == len(plant.tags)
    assert plan.layers[LAYERS.index(PCA)].keys.tolist() == []
    assert list(unjudged.nodes) == [GROUP]
    with pytest.raises(AssertionError, match=f"version 3: .*{words}"):
        raise AssertionError(unjudged.sentence())


def test_a_group_that_is_no_longer_of_this_kind_needs_no_model():
    plant = unit()
    vote = replace(plant.nodes[GROUP], detail={"kind": "redundant", "members": list(NAMES)})
    plant = replace(plant, nodes={**plant.nodes, GROUP: vote})
    assert with_models(plant, [ACTIVE]) == plant


class Desk:
    """A worker's engine and what it tells of groups."""

    def __init__(self, plant: Registry) -> None:
        self.plant = plant
        self.plan, _ = planned(plant)
        self.state = RuleState.fresh(self.plan, ZERO)
        self.told = ToldGroups()

    def feed(self, scans: np.ndarray, begin: int = 0) -> None:
        for n, scan in enumerate(scans, begin):
            when = micros(at(n * EVERY))
            frame = Frame.of(list(range(1, 7)), [when] * 6, scan, received=when)
            step(self.plan, self.state, frame, moment(when))

    def news(self, seconds: float) -> tuple[PcaNow, ...]:
        return self.told.news(self.plant, self.plan, self.state, at(seconds), seconds)


@pytest.mark.parametrize(
    ("plant", "sight", "why"),
    [
        (unit(), PcaSight.NO_MODEL, ""),
        (with_models(unit(), [ACTIVE]), PcaSight.UNKNOWN, "no scan judged yet"),
        (with_models(renewed(unit(), "PI-1", 77), [ACTIVE]), PcaSight.REFUSED, "renewed"),
        (with_models(unit(members=NAMES[:-1]), [ACTIVE]), PcaSight.REFUSED, "LI-1 left"),
    ],
)
def test_a_group_that_nothing_watches_is_told_as_not_known(plant, sight, why):
    (told,) = Desk(plant).news(0)
    assert (told.sight, told.node) == (sight, GROUP)
    assert why in told.why
    assert np.isnan(told.t2)


def test_statistics_and_shares_are_told_and_silence_is_told_as_unknown():
    desk = Desk(with_models(unit(), [ACTIVE]))
    scans = running(60, seed=3)
    scans[20:, 3] += 6.0
    desk.feed(scans)
    (told,) = desk.news(59 * EVERY)
    assert (told.sight, told.version, told.missing) == (PcaSight.WATCHED, 3, 0)
    assert told.spe > 1
    assert told.active is not None
    assert at(20 * EVERY) <= told.active <= at(50 * EVERY)
    top = max(told.shares, key=lambda one: one.of_spe)
    assert (top.tag, len(told.shares)) == (4, 6)
    assert sum(one.of_spe for one in told.shares) == pytest.approx(1)
    (later,) = desk.news(59 * EVERY + 3600)
    assert (later.sight, later.why) == (PcaSight.UNKNOWN, "6 of 6 members are missing")
    assert np.isnan(later.spe)
    assert later.active == told.active
    assert later.shares == ()


def test_it_is_told_at_once_when_it_turns_and_else_now_and_then():
    desk = Desk(with_models(unit(), [ACTIVE]))
    assert len(desk.news(0)) == 1
    assert desk.news(0.5) == ()
    desk.feed(running(1, seed=3))
    assert len(desk.news(1)) == 1
    desk.feed(running(1, seed=3), 1)
    assert desk.news(5) == ()
    assert len(desk.news(11.5)) == 1
    assert desk.news(40) == ()
    assert len(desk.news(72)) == 1


def test_what_is_told_comes_through_the_spool():
    desk = Desk(with_models(unit(), [ACTIVE]))
    desk.feed(running(30))
    told = desk.news(30 * EVERY)
    entry = Entry(1, groups=told)
    assert entry.speaks
    assert decode(encode(Spooled(1, entry))).entry.groups == told


@pytest.mark.parametrize(
    ("told", "age_s", "version", "sight"),
    [
        (None, 0, None, PcaSight.NO_MODEL),
        (None, 0, 2, PcaSight.UNKNOWN),
        ({"sight": "watched", "version": 2, "why": ""}, 170, 2, PcaSight.WATCHED),
        ({"sight": "watched", "version": 2, "why": ""}, 190, 2, PcaSight.UNKNOWN),
        ({"sight": "watched", "version": 1, "why": ""}, 1, 2, PcaSight.UNKNOWN),
        ({"sight": "no_model", "version": None, "why": ""}, 1, None, PcaSight.NO_MODEL),
    ],
)
def test_a_reader_takes_nothing_for_normal_that_is_old_or_of_another_model(
    told, age_s, version, sight
):
    when: datetime | None = None if told is None else START - timedelta(seconds=age_s)
    assert sight_of(told, when, version, START)[0] is sight


def test_a_group_is_called_by_its_code_or_the_end_of_its_path():
    assert address(unit(), GROUP) == "E1/S1/reactor"
    for words in ("reactor", "S1/reactor", "E1/S1/reactor"):
        assert group_called(unit(), words).id == GROUP
    with pytest.raises(CannotLearn, match="no group of kind pca is called 'S1'; there is: E1/S1"):
        group_called(unit(), "S1")
    twin = replace(unit().nodes[GROUP], id=51, code="reactor", parent=2)
    with pytest.raises(CannotLearn, match="more than one group fits 'reactor'"):
        group_called(unit(twin), "reactor")
