"""How long is waited before a connection is tried for again, and how sessions are called."""

import pytest

from ingest.backoff import STEADY_S, Backoff
from ingest.mqtt import LONGEST_NAME, session_name


@pytest.mark.parametrize(
    ("lasts", "most"), [(1.0, 10.0), (STEADY_S + 1, 0.4), (STEADY_S - 1, 10.0)]
)
def test_waits_grow_until_a_connection_has_lasted(lasts, most):
    backoff, waits = Backoff(0.2, 10.0), []
    for _ in range(9):
        backoff.lasted(lasts)
        backoff.failed()
        waits.append(backoff.next_wait())
    assert 0.5 * most <= waits[8] <= most
    assert waits[0] <= 0.4


def test_no_two_enterprises_have_one_session():
    names = [("a-b", "c"), ("a", "b-c"), ("a.b", "c"), ("x" * 64, "y" * 64), ("x" * 64, "y" * 63)]
    ids = [session_name("hazwatch-main", one) for one in names]
    assert ids[0] == "hazwatch-main:a-b:c"
    assert len(set(ids)) == len(ids)
    assert max(map(len, ids)) <= LONGEST_NAME
