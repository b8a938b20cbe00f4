"""In a flood one address gets few notices and digests, and nothing that counts is ever in one."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.digest import ALONE, GATHER_S, SILENCE_S, WITHIN_S, Digest, digest, may_fold
from domain.alarms import Notice

AT = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
WECOM = "wecombot://KEY"


def notice(
    priority: str = "P3",
    named: str = "LEVEL",
    kind: str = "H",
    recipient: str = WECOM,
    channel: str = "apprise",
    step: int | None = None,
    after_s: float = 0.0,
    **body: object,
) -> Notice:
    alarm = {"name": "LT-1", "class": named, "kind": kind, "priority": priority}
    alarm |= {"enterprise": "5", "source": "11"}
    said: dict[str, object] = {"type": "alarm", "alarm": alarm, "source_name": "甲醇罐区"} | body
    when = AT + timedelta(seconds=after_s)
    return Notice(uuid4(), uuid4(), channel, recipient, said, when, step)


def test_forty_one_notices_in_a_second_are_ten_and_one_digest_of_the_rest():
    folding, many = Digest(), [notice() for _ in range(41)]
    assert folding.fold(many, 0.0) == [(one,) for one in many[:10]]
    assert folding.held == 31
    assert folding.fold([], GATHER_S - 0.1) == []
    assert folding.fold([], GATHER_S) == [tuple(many[10:])]
    assert folding.held == 0


def test_a_flood_that_goes_on_brings_ten_and_one_digest_a_minute():
    folding, left = Digest(), []
    for second in range(300):
        left += [(second, len(leaving)) for leaving in folding.fold([notice()], float(second))]
    for minute in range(240):
        here = [size for second, size in left if minute <= second < minute + WITHIN_S]
        assert sum(size == 1 for size in here) <= 10
        assert sum(size > 1 for size in here) <= 1
    assert [second for second, size in left if size > 1] == [20, 80, 140, 200, 260]


def test_after_the_flood_notices_come_one_by_one_again():
    folding = Digest()
    folding.fold([notice() for _ in range(12)], 0.0)
    folding.fold([], GATHER_S)
    one = notice()
    assert folding.fold([one], GATHER_S + WITHIN_S) == [(one,)]


def test_one_address_in_a_flood_leaves_the_others_alone():
    folding = Digest(over=2)
    folding.fold([notice() for _ in range(9)], 0.0)
    others = [
        notice(recipient="wecombot://OTHER"),
        notice(recipient="hw/v1/events/x", channel="mqtt"),
    ]
    assert folding.fold(others, 0.1) == [(one,) for one in others]


def test_programs_get_every_notice():
    folding = Digest(over=1)
    many = [notice(channel="webhook", recipient="https://a") for _ in range(50)]
    assert folding.fold(many, 0.0) == [(one,) for one in many]


@pytest.mark.parametrize(
    "one",
    [
        notice("P1"),
        *(notice("P2", named) for named in sorted(ALONE)),
        notice("P2", kind="HH"),
        notice("P2", kind="LL"),
        *(
            notice(step=1, type="warning", alarm=None, colour=colour)
            for colour in ("yellow", "orange", "red")
        ),
        notice(type="warning", alarm=None, colour="orange", role="permit"),
        notice(drill=True),
        notice(type="test"),
        notice(type="tomorrow"),
        notice("P9"),
    ],
    ids=lambda one: f"{one.body['type']} {one.body['alarm']}",
)
def test_what_never_folds_leaves_at_once_whatever_the_flood(one: Notice):
    folding = Digest(over=1)
    folding.fold([notice() for _ in range(20)], 0.0)
    assert not may_fold(one)
    assert folding.fold([one], 1.0) == [(one,)]


urgent = st.sampled_from(["P1", "P2", "P3", "P4"])
classes = st.sampled_from(["LEVEL", "GAS_L2", "GAS_L1", "FIRE", "TEMP", "TAG_OFFLINE"])
made = st.builds(notice, urgent, classes, st.sampled_from(["HH", "H"]), st.sampled_from("ab"))


@given(
    st.lists(st.tuples(st.floats(0, 30), st.lists(made, max_size=30)), max_size=12),
    st.integers(1, 12),
)
def test_every_notice_leaves_once_within_a_minute_and_what_counts_at_once(batches, over):
    """A slow reference: what came and what left, compared one by one."""
    folding, now = Digest(over), 0.0
    came: dict[UUID, tuple[Notice, float]] = {}
    left: dict[UUID, float] = {}
    for pause, batch in [*batches, (WITHIN_S, []), (GATHER_S, [])]:
        now += pause
        came |= {one.id: (one, now) for one in batch}
        for leaving in folding.fold(batch, now):
            assert len({(one.channel, one.recipient) for one in leaving}) == 1
            assert len(leaving) == 1 or all(may_fold(one) for one in leaving)
            assert not left.keys() & {one.id for one in leaving}
            left |= {one.id: now for one in leaving}
    assert left.keys() == came.keys()
    assert folding.held == 0
    for id, (one, since) in came.items():
        assert may_fold(one) or left[id] == since


def test_a_digest_tells_how_many_of_what_and_where():
    many = [notice("P3", after_s=5), notice("P2", "TEMP", after_s=1), notice("P3", after_s=9)]
    one = digest(many, AT + timedelta(seconds=10))
    assert one.body["count"] == 3
    assert one.body["by_priority"] == {"P2": 1, "P3": 2}
    assert one.body["causes"] == [
        {"enterprise": "5", "source": "11", "name": "甲醇罐区", "count": 3, "under": None}
    ]
    first = one.body["first"]
    assert isinstance(first, dict)
    assert first["class"] == "TEMP"
    assert (one.body["from"], one.body["to"]) == ("2026-11-21T03:00:01Z", "2026-11-21T03:00:09Z")
    assert (one.channel, one.recipient) == ("apprise", WECOM)
    assert one.body["notices"] == sorted(str(member.id) for member in many)


def test_a_digest_tells_what_lies_under_which_cause():
    pump = {"id": "c1", "name": "P-301", "kind": "L"}
    many = [notice("P3", cause=pump) for _ in range(17)] + [notice("P3")]
    one = digest(many, AT)
    assert one.body["causes"] == [
        {"enterprise": "5", "source": "11", "name": "P-301", "count": 17, "under": "c1"},
        {"enterprise": "5", "source": "11", "name": "甲醇罐区", "count": 1, "under": None},
    ]
    assert "P-301 +17 consequential 其下 17 条" in str(one.body["text"])


def test_what_lies_under_a_cause_never_comes_singly():
    folding = Digest()
    alone, under = notice(), notice(cause={"id": "c1", "name": "P-301", "kind": "L"})
    assert folding.fold([alone, under], 0.0) == [(alone,)]
    assert folding.fold([], GATHER_S) == [(under,)]


def test_silence_waits_for_its_like_and_holds_nobody_else_up():
    folding = Digest()
    quiet = [notice("P4", "TAG_OFFLINE", "OFFLINE") for _ in range(3)]
    level = notice()
    assert folding.fold([*quiet[:1], level], 0.0) == [(level,)]
    assert folding.fold(quiet[1:], SILENCE_S - 1) == []
    assert folding.held == 3
    assert folding.fold([], SILENCE_S) == [tuple(quiet)]
    assert folding.fold(quiet[:1], 100.0) == []
    assert folding.fold([], 100.0 + SILENCE_S) == [tuple(quiet[:1])]


def test_a_gas_detector_that_falls_silent_waits_for_nobody():
    one = notice("P3", "TAG_OFFLINE", "OFFLINE", alone=True)
    assert Digest().fold([one], 0.0) == [(one,)]


def test_the_same_members_are_the_same_digest():
    many = [notice() for _ in range(3)]
    first, again = digest(many, AT), digest(many[::-1], AT + timedelta(seconds=30))
    assert first.id == again.id != UUID(int=0)
