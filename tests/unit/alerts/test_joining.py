"""Which notices leave as one, and what the one says."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from alerts.joining import alike, joined, same_as_first
from alerts.outgoing import AT_ONCE, Outgoing
from alerts.people import stands_in
from domain.alarms import Notice
from tests.support.builders import at

WORDS = st.sampled_from("ab")


@st.composite
def crowds(draw) -> list[Notice]:
    """Notices of rungs that differ in anything, on one server."""
    made = []
    for number in range(draw(st.integers(1, 30))):
        role, fallback = draw(st.sampled_from(["OP", "SM", "PK"])), draw(st.booleans())
        body: dict[str, object] = {
            "role": role,
            "role_name": role.lower(),
            "colour": draw(st.sampled_from(["red", "orange"])),
            "reason": draw(WORDS),
            "stand_in": fallback,
            "text": f"{stands_in(role) if fallback else ''}{draw(WORDS)}",
        }
        person, when, case = (
            draw(WORDS),
            at(draw(st.integers(0, 1))),
            UUID(int=draw(st.sampled_from([1, 2]))),
        )
        ways = (("mqtt", person),)
        step = draw(st.sampled_from([None, 1, 2]))
        made.append(Notice(UUID(int=100 + number), case, *ways[0], body, when, step, person, ways))
    return made


@given(crowds())
def test_each_notice_is_in_one_message_that_says_what_it_says(crowd):
    seen = []
    for group in alike(crowd):
        left = list(group)
        while left:
            same = same_as_first(left)
            one = joined(same)
            seen += same
            left = [notice for notice in left if notice not in same]
            for member in same:
                for name in ("colour", "reason", "stand_in"):
                    assert one.body[name] == member.body[name]
                about = ("occurrence", "person", "channel", "recipient", "created")
                assert all(getattr(one, name) == getattr(member, name) for name in about)
                roles = one.body.get("roles", [one.body["role"]])
                assert isinstance(roles, list)
                assert member.body["role"] in roles
            assert joined([*reversed(same)]).id == one.id
            assert len(same) == 1 or same[0].step is not None
    assert sorted(one.id for one in seen) == sorted(one.id for one in crowd)


@given(crowds(), st.integers(1, AT_ONCE))
def test_what_may_leave_as_one_is_taken_together_and_everything_once(crowd, at_once):
    outgoing, taken = Outgoing(), list[Notice]()
    for one in crowd:
        outgoing.put(one, 0.0)
    while now := outgoing.take(0.0, at_once):
        groups = alike(now)
        assert len(groups) <= at_once
        whole = {group[0].id: len(group) for group in alike(crowd)}
        assert all(len(group) == whole[group[0].id] for group in groups)
        taken += now
        for one in now:
            outgoing.sent(one)
    assert sorted(one.id for one in taken) == sorted(one.id for one in crowd)
    assert outgoing.take(0.0) == []
