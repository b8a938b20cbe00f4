"""Journals of KPIs, packed as the server packs them, against joining them row by row."""

import struct
from collections.abc import Sequence

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from domain.instant import FAR, moment
from domain.kpi_journal import Journal
from storage.kpi_journal import INFINITY, KINDS, Subject, parts, unpacked
from storage.rows import POSTGRES_EPOCH

WORD = st.integers(-(2**63), 2**63 - 1)


def packed(numbers: Sequence[int], size: int = 8) -> bytes:
    """As `array_send` of an array of one dimension; NULL where it is empty."""
    if not numbers:
        return b""
    head = struct.pack(">iiiii", 1, 0, 20, len(numbers), 1)
    return head + b"".join(
        struct.pack(">i", size) + one.to_bytes(size, "big", signed=True) for one in numbers
    )


@st.composite
def journals(draw):
    """(alarms, events). key, enterprise, tag, node, kind, priority, onset, ended of each alarm;
    key, at, n, what of each event."""
    keys = draw(st.lists(WORD | st.integers(-3, 3), max_size=12, unique=True))
    alarms = [
        (
            key,
            draw(st.integers(1, 3)),
            draw(st.integers(-1, 2)),
            draw(st.integers(5, 7)),
            draw(st.integers(0, len(KINDS))),
            draw(st.integers(1, 4)),
            draw(st.integers(0, 100)),
            draw(st.integers(0, 100) | st.just(INFINITY)),
        )
        for key in keys
    ]
    events = [
        (key, draw(st.integers(0, 5)), n, draw(st.integers(0, 127)))
        for key in draw(st.lists(st.sampled_from(keys) if keys else WORD, max_size=40))
        for n in [draw(st.integers(1, 60))]
    ]
    events += [(key, 3, 1, 1) for key in draw(st.lists(WORD, max_size=3)) if key not in keys]
    return alarms, draw(st.permutations(events))


@given(journals())
@example(([], [(1, 1, 1, 1)]))
@example(([(-(2**63), 1, -1, 5, 0, 1, 0, INFINITY), (2**63 - 1, 1, 2, 5, 1, 4, 0, 1)],
          [(2**63 - 1, 2, 1, 3), (-(2**63), 2, 1, 7), (0, 2, 1, 9)]))  # fmt: skip
def test_the_journals_are_those_joined_row_by_row(made):
    alarms, events = made
    found = unpacked(
        {
            "key": packed([one[0] for one in alarms]),
            "enterprise": packed([one[1] for one in alarms], 4),
            "tag": packed([one[2] for one in alarms], 4),
            "node": packed([one[3] for one in alarms], 4),
            "sort": packed([one[4] * 8 + one[5] for one in alarms], 4),
            "onset": packed([one[6] for one in alarms]),
            "ended": packed([one[7] for one in alarms]),
        },
        {
            "key": packed([one[0] for one in events]),
            "at": packed([one[1] for one in events]),
            "what": packed([one[2] * 128 + one[3] for one in events], 4),
        },
    )
    by_key = {one[0]: one for one in alarms}
    for enterprise in (1, 2, 3, 4):
        rows = [one for one in events if by_key.get(one[0], (0, 0))[1] == enterprise]
        rows.sort(key=lambda one: (one[1], one[2]))
        journal = found.of(enterprise)
        assert (journal.at - POSTGRES_EPOCH).tolist() == [one[1] for one in rows]
        assert journal.what.tolist() == [one[3] for one in rows]
        assert journal.priority.tolist() == [by_key[one[0]][5] for one in rows]
        subjects = [found.subjects[number] for number in journal.subject.tolist()]
        assert [_named(one) for one in subjects] == [_expected(by_key[one[0]]) for one in rows]
        # the same occurrence has the same number, and no other one has
        numbers = dict(zip((one[0] for one in rows), journal.alarm.tolist(), strict=True))
        assert [numbers[one[0]] for one in rows] == journal.alarm.tolist()
        assert len(set(numbers.values())) == len(numbers)
        _standing(found, enterprise, [one for one in alarms if one[1] == enterprise])


def _named(subject: Subject) -> tuple[str, int | None, int | None]:
    """Kind, tag, and the node where it has no tag; a tag may have been moved."""
    return subject.kind, subject.tag, subject.node if subject.tag is None else None


def _expected(alarm) -> tuple[str, int | None, int | None]:
    _, _, tag, node, kind, *_ = alarm
    name = "?" if kind == 0 else KINDS[kind - 1]
    return (name, None, node) if tag < 0 else (name, tag, None)


def _standing(found, enterprise, alarms) -> None:
    begin, end, stale = 20, 90, 30
    spans = found.standing(
        enterprise, moment(begin + POSTGRES_EPOCH), moment(end + POSTGRES_EPOCH), stale / 1e6
    )
    expected = sorted(
        (onset + POSTGRES_EPOCH, FAR if ended == INFINITY else ended + POSTGRES_EPOCH)
        for *_, onset, ended in alarms
        if onset < end - stale and (ended == INFINITY or (ended > begin and ended - onset > stale))
    )
    assert sorted(zip(*(part.tolist() for part in spans), strict=True)) == expected


def test_nothing_is_an_empty_journal():
    found = unpacked(dict.fromkeys(("key", "enterprise"), b""), {})
    assert len(found.of(1)) == 0
    assert isinstance(found.of(1), Journal)
    assert found.standing(1, moment(0), moment(1), 1.0)[0].dtype == np.int64


@given(st.lists(st.integers(0, 50), max_size=30), st.integers(1, 60))
def test_no_part_has_more_rows_than_it_may_unless_one_enterprise_has(rows, most):
    sizes = dict(enumerate(rows))
    found = parts(sizes, sizes, most)
    assert [who for part in found for who in part] == list(sizes)
    for part in found:
        assert sum(sizes[who] for who in part) <= most or len(part) == 1
