"""The journal of a case keeps the score behind each transition: CAP messages tell it."""

import pytest

from domain.alarms import Kind
from domain.plant import TagKind
from domain.risk import risk_model
from storage.cases import _event
from tests.support.builders import SOURCE, registry, tag
from tests.support.warned import Watched

GAS = 2


def test_a_transition_is_kept_with_the_score_and_the_model_behind_it():
    limits = {Kind.H: 20.0, Kind.HH: 40.0}
    watched = Watched(registry(tag(GAS, kind=TagKind.GAS_TOXIC, unit="ppm", limits=limits)))
    watched.raises(Kind.HH, GAS, 45.0)
    first = watched.changes[0]
    assert first.case.score == pytest.approx(watched.risks[SOURCE].score)
    assert first.case.score is not None
    assert first.case.score > 0
    assert first.case.model == risk_model().version
    kept = _event(first)["body"]
    assert kept.obj.score == first.case.score  # type: ignore[attr-defined]
