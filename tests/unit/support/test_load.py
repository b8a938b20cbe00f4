"""What counts as the same history of alarms."""

from datetime import datetime

import pytest

from tests.support.builders import at
from tests.support.load import Row, differences

PARTED = [(at(10), at(13))]
ONSET = at(11)


def row(effective: datetime, ended: datetime | None = None, onset: datetime = ONSET) -> Row:
    return ("raise", "LATUN", "UNACK", "HH", 11, onset, effective, ended)


def test_late_while_gateways_were_coming_back_is_the_same():
    assert differences({"a": [row(at(12))]}, {"a": [row(at(11))]}, PARTED) == []


@pytest.mark.parametrize(
    "stored",
    [
        [row(at(10))],
        [row(at(14))],
        [row(at(12), at(13))],
        [row(at(12), onset=at(12))],
        [row(at(12)), row(at(12))],
        [],
    ],
    ids=["earlier", "later than that", "with an end", "another onset", "twice", "never"],
)
def test_all_else_is_a_difference(stored: list[Row]):
    assert len(differences({"a": stored}, {"a": [row(at(11))]}, PARTED)) == 1
    assert len(differences({"a": [row(at(12))]}, {"a": [row(at(11))]}, [])) == 1
