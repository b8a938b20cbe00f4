"""HTTP ingest from the request to the answer, without a server."""

import asyncio
import gzip
import json
import re
from pathlib import Path
from typing import Any

import httpx
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from api.problems import EXPLANATIONS
from ingest.batch import Raw
from ingest.credentials import STALE_S
from ingest.quota import Allowance
from ingest.unpack import MAX_RAW, timeless
from tests.support.door import PLACES, Rig
from tests.support.gateway_line import body

CORPUS = sorted((Path(__file__).parent / "corpus").iterdir())
GOOD = body((0, {"T1": 1.5, "T2": 2}))
COUNTS = ("stored", "duplicate", "conflict")


def counts(answer: httpx.Response) -> tuple[int, ...]:
    assert answer.status_code == 200, answer.text
    return tuple(answer.json()[name] for name in COUNTS)


def problem(answer: httpx.Response, status: int, kind: str) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    told: dict[str, Any] = answer.json()
    assert set(told) >= {"type", "title", "status", "detail", "instance"}
    assert (told["status"], told["type"]) == (status, f"/problems/{kind}")
    assert kind in EXPLANATIONS
    return told


async def post(rig: Rig, payload: bytes = GOOD, place: str = PLACES[0], **more) -> httpx.Response:
    async with rig.client(more.pop("key", place)) as client:
        return await client.post(place, content=payload, **more)


# What is answered


async def test_a_message_is_answered_when_it_is_stored_and_no_sooner():
    rig = Rig()
    async with asyncio.TaskGroup() as tasks:
        asking = tasks.create_task(post(rig))
        await rig.clock.settle()
        (number,) = rig.judge()
        await rig.clock.settle()
        assert not asking.done()
        rig.store(number)
        answer = await asking
    assert counts(answer) == (2, 0, 0)
    assert answer.json()["quarantined"] == []
    assert (rig.sample("requests_total", status="200"), rig.sample("waiting")) == (1, 0)


async def test_what_came_before_counts_as_duplicate_with_a_seq_and_without():
    rig = Rig(serving=True)
    assert counts(await post(rig)) == (2, 0, 0)
    assert counts(await post(rig)) == (0, 2, 0)
    numbered = body((5, {"T1": 3, "T2": 4, "T3": 5, "X": 6}), seq=0)
    assert counts(await post(rig, numbered)) == (3, 0, 0)
    assert counts(await post(rig, numbered)) == (0, 4, 0)
    assert rig.batches[-1].counts[1].messages_repeated == 1


async def test_another_value_of_the_same_time_is_a_conflict():
    rig = Rig(serving=True)
    await post(rig)
    assert counts(await post(rig, body((0, {"T1": 9, "T2": 2})))) == (0, 1, 1)


async def test_one_bad_value_takes_no_other_with_it_and_is_named():
    rig = Rig(serving=True)
    payload = (
        b'{"vendor": 1, "samples": [{"time": "2026-11-21T08:00:00Z",'
        b' "values": {"T1": 1, "T2": NaN, "XX": 3, "T3": "four"}}]}'
    )
    answer = await post(rig, payload)
    assert counts(answer)[0] == 2
    named = {one["tag"]: one for one in answer.json()["quarantined"]}
    assert {tag: one["reason"] for tag, one in named.items()} == {
        "XX": "unknown_tag",
        "T3": "not_a_number",
    }
    assert named["XX"]["time"] == "2026-11-21T08:00:00Z"


async def test_of_very_many_bad_values_the_first_are_named_and_all_are_counted():
    rig = Rig(serving=True)
    values = {f"X{n}": "no" for n in range(12_000)} | {"T1": 1}
    answer = await post(rig, body((0, values)))
    told = answer.json()
    assert counts(answer) == (1, 0, 0)
    assert len(told["quarantined"]) + told["more_quarantined"] == 12_000
    assert told["more_quarantined"] > 0


@pytest.mark.parametrize(
    ("payload", "status", "reason"),
    [
        (b"", 422, "malformed"),
        (b"{", 422, "malformed"),
        (b"[]", 422, "not_an_object"),
        (b"{}", 422, "no_samples"),
        (gzip.compress(GOOD, mtime=0)[:-9], 422, "malformed"),
        (zstandard.compress(b" " * (8 * 2**20 + 1)), 413, "too_large"),
        (body((0, {f"T{n}": 1 for n in range(100_001)})), 413, "too_many_values"),
    ],
)
async def test_a_message_that_cannot_be_read_is_kept_and_said_to_be_so(payload, status, reason):
    rig = Rig(serving=True)
    # The last one is larger than 1 MiB as it stands.
    sent = gzip.compress(payload, mtime=0) if len(payload) > MAX_RAW else payload
    told = problem(await post(rig, sent), status, "unreadable" if status == 422 else "too-large")
    assert told["reason"] == reason
    assert "docs/mqtt.md" in told["detail"]
    assert [one.reason for one in rig.batches[-1].quarantined] == [reason]


async def test_a_message_that_is_answered_has_a_batch_of_its_own_among_those_of_the_broker():
    rig = Rig()
    async with asyncio.TaskGroup() as tasks:
        asking = [
            tasks.create_task(post(rig, body((n, {"T1": n}), seq=n, boot="http"))) for n in (1, 2)
        ]
        await rig.clock.settle()
        broker = [
            Raw("hw/v1/P1/E1/G2/data", body((n, {"T2": n, "T3": n}), seq=n), handle=n)
            for n in range(4)
        ]
        rig.inbox[:] = [*broker[:2], rig.inbox[0], broker[2], rig.inbox[1], broker[3]]
        rig.store(*rig.judge())
    assert [counts(one.result()) for one in asking] == [(1, 0, 0)] * 2
    assert [len(batch.handles) for batch in rig.batches] == [2, 1, 1, 1, 1]
    assert [batch.handles[0] for batch in rig.batches[::2]] == [0, 2, 3]


async def test_each_request_counts_its_own_values_among_those_of_others():
    rig = Rig()
    async with asyncio.TaskGroup() as tasks:
        asking = [
            tasks.create_task(post(rig, body((n, dict.fromkeys(("T1", "T2", "T3")[:n], n)))))
            for n in (1, 2, 3)
        ]
        await rig.clock.settle()
        rig.store(*rig.judge())
    assert [counts(one.result())[0] for one in asking] == [1, 2, 3]


# How it may be packed and how large it may be


@pytest.mark.parametrize(
    ("coding", "payload"),
    [
        (None, GOOD),
        ("identity", GOOD),
        (None, gzip.compress(GOOD, mtime=0)),
        ("gzip", gzip.compress(GOOD, mtime=0)),
        ("X-GZIP", gzip.compress(GOOD, mtime=0)),
        (None, zstandard.compress(GOOD)),
        ("zstd", zstandard.compress(GOOD)),
    ],
)
async def test_packed_bodies_are_known_by_their_first_bytes_or_by_their_head(coding, payload):
    rig = Rig(serving=True)
    headers = {} if coding is None else {"Content-Encoding": coding}
    assert counts(await post(rig, payload, headers=headers)) == (2, 0, 0)


async def test_a_repeat_that_is_packed_anew_is_the_same_message():
    rig = Rig(serving=True)
    await post(rig, body((-9, {"T1": 1}), sent=-9))
    said = body((-2, {"T1": 1}), (-1, {"T1": 1}), sent=0)
    packed = [gzip.compress(said, mtime=when) for when in (1, 2, 3, 4)]
    answers = [await post(rig, one) for one in packed]
    assert [counts(one) for one in answers] == [(2, 0, 0)] + [(0, 2, 0)] * 3
    with_crc = b"\x1f\x8b\x08\x02" + packed[0][4:10]
    assert timeless(with_crc) == with_crc
    assert [timeless(one) for one in (b"", b"\x1f\x8b\x08", GOOD)] == [b"", b"\x1f\x8b\x08", GOOD]


async def test_a_coding_that_is_not_ours_is_refused_before_the_body():
    told = await post(Rig(), headers={"Content-Encoding": "br"})
    problem(told, 415, "bad-coding")
    assert told.headers["accept-encoding"] == "gzip, zstd"


async def test_a_body_that_is_not_what_its_head_says_is_refused_and_nothing_is_taken():
    rig = Rig()
    problem(await post(rig, headers={"Content-Encoding": "gzip"}), 422, "unreadable")
    assert rig.inbox == []


async def test_more_bytes_than_allowed_are_not_read():
    rig = Rig()
    read = 0

    async def endless():
        nonlocal read
        while True:
            read += 1
            yield b" " * 65536

    problem(await post(rig, endless()), 413, "too-large")
    assert read <= MAX_RAW // 65536 + 2
    problem(await post(rig, b" " * (MAX_RAW + 1)), 413, "too-large")
    assert rig.inbox == []


async def test_a_body_that_drips_is_given_up():
    rig = Rig(body_s=0.02)

    async def drip():
        yield b"{"
        await asyncio.Event().wait()

    told = await post(rig, drip())
    problem(told, 408, "too-slow")
    assert told.headers["connection"] == "close"
    assert rig.inbox == []


# Who may send


async def test_a_key_speaks_for_its_own_gateway_and_for_no_other():
    rig = Rig(serving=True)
    for key in PLACES:
        for place in PLACES:
            answer = await post(rig, body((0, {"T1": 1})), place, key=key)
            if key == place:
                assert answer.status_code == 200
            else:
                problem(answer, 403, "not-your-gateway")
    problem(await post(rig, place="P1/E1/G9", key=PLACES[0]), 403, "not-your-gateway")
    problem(await post(rig, place="P1/%2e/%00", key=PLACES[0]), 403, "not-your-gateway")
    assert {raw.topic for raw in rig.inbox} == set()


@pytest.mark.parametrize("header", ["", "Bearer ", "Bearer x", "Basic aGk6aGk=", "Bearer hwk_"])
async def test_without_a_key_nobody_is_let_in(header):
    rig = Rig()
    answer = await post(rig, headers={"Authorization": header})
    problem(answer, 401, "no-gateway-key")
    assert answer.headers["www-authenticate"] == "Bearer"
    assert rig.sample("denied_total", why="no-gateway-key") == 1


async def test_a_revoked_key_opens_no_door_once_the_keys_are_read_again():
    rig = Rig(serving=True)
    assert (await post(rig)).status_code == 200
    rig.hear(PLACES[0])
    problem(await post(rig), 401, "no-gateway-key")
    assert (await post(rig, place=PLACES[1])).status_code == 200


async def test_keys_that_were_read_too_long_ago_open_no_door():
    rig = Rig()
    await rig.clock.advance(STALE_S + 0.1)
    problem(await post(rig), 503, "not-durable")
    assert rig.inbox == []


async def test_people_of_the_enterprise_may_send_for_its_gateways_and_for_no_other():
    rig = Rig(serving=True)
    rig.people.known = {"wang": frozenset({("P1", "E1")}), "desk": frozenset()}
    as_wang = {"Authorization": "Bearer wang"}
    assert (await post(rig, headers=as_wang)).status_code == 200
    assert (await post(rig, place=PLACES[1], headers=as_wang)).status_code == 200
    problem(await post(rig, place=PLACES[2], headers=as_wang), 403, "not-your-gateway")
    told = problem(
        await post(rig, place="P1/E1/G9", key=PLACES[0], headers=as_wang), 403, "not-your-gateway"
    )
    assert "not in the registry" in told["detail"]
    as_desk = {"Authorization": "Bearer desk"}
    problem(await post(rig, headers=as_desk), 403, "not-your-gateway")
    assert rig.people.looked == 2


async def test_a_session_that_ended_is_noticed_within_five_seconds():
    rig = Rig(serving=True)
    rig.people.known = {"wang": frozenset({("P1", "E1")})}
    as_wang = {"Authorization": "Bearer wang"}
    assert (await post(rig, headers=as_wang)).status_code == 200
    rig.people.known = {}
    await rig.clock.advance(4.5)
    rig.hear()
    problem(await post(rig, headers=as_wang), 401, "no-gateway-key")


async def test_who_tries_keys_is_braked_and_a_key_that_holds_is_not():
    rig = Rig(serving=True)
    wrong = {"Authorization": f"Bearer hwk_{'0' * 12}_{'x' * 43}"}
    answers = [await post(rig, headers=wrong) for _ in range(21)]
    assert [one.status_code for one in answers] == [401] * 20 + [429]
    problem(answers[-1], 429, "too-many-failures")
    assert (await post(rig)).status_code == 200
    problem(await post(rig, headers={"Authorization": "Bearer guess"}), 429, "too-many-failures")
    assert rig.people.looked == 0
    await rig.clock.advance(4.9)
    rig.hear()
    wait = int(answers[-1].headers["retry-after"])
    await rig.clock.advance(wait - 4.9)
    assert (await post(rig, headers=wrong)).status_code == 401


# How much may be sent


async def test_above_the_quota_429_says_how_long_and_who_waits_gets_everything_in():
    rig = Rig(Allowance(10, 1e9, 1.0), serving=True)
    refused = 0
    for n in range(20):
        payload = body((n, {"T1": 1, "T2": 2, "T3": 3}))
        answer = await post(rig, payload)
        while answer.status_code == 429:
            refused += 1
            problem(answer, 429, "over-quota")
            await rig.clock.advance(int(answer.headers["retry-after"]))
            rig.hear()
            answer = await post(rig, payload)
        assert counts(answer) == (3, 0, 0)
    assert refused == rig.sample("over_quota_total", enterprise="P1/E1") > 0
    assert 4 <= rig.clock.elapsed() <= 8


async def test_an_enterprise_above_its_quota_holds_up_no_other():
    rig = Rig(Allowance(1, 1e9, 1.0), serving=True)
    assert counts(await post(rig, body((0, {"T1": 1, "T2": 1, "T3": 1})))) == (3, 0, 0)
    problem(await post(rig), 429, "over-quota")
    problem(await post(rig, place=PLACES[1]), 429, "over-quota")
    assert counts(await post(rig, body((0, {"T1": 1})), PLACES[2])) == (1, 0, 0)


async def test_an_enterprise_may_have_a_quota_of_its_own():
    own = {("P1", "E2"): Allowance(1e9, 1e9, 1.0)}
    rig = Rig(Allowance(1e9, 100, 1.0), serving=True, allowances=own)
    assert [(await post(rig)).status_code for _ in range(3)] == [200, 200, 429]
    assert [(await post(rig, place=PLACES[2])).status_code for _ in range(3)] == [200] * 3


@pytest.mark.parametrize("payload", [GOOD, b"{"], ids=["repeats", "nonsense"])
async def test_repeats_and_nonsense_use_the_quota_up_too(payload):
    rig = Rig(Allowance(100, 1e9, 1.0), serving=True)
    numbered = payload.replace(b'{"samples"', b'{"boot": "b", "seq": 1, "samples"')
    statuses = [(await post(rig, numbered)).status_code for _ in range(80)]
    assert statuses[-1] == 429


async def test_messages_of_a_gateway_go_in_as_their_requests_came():
    rig = Rig()
    slow, began = asyncio.Event(), asyncio.Event()

    async def dawdling():
        began.set()
        yield body((1, {"T1": 1}))[:5]
        await slow.wait()
        yield body((1, {"T1": 1}))[5:]

    async with asyncio.TaskGroup() as tasks:
        first = tasks.create_task(post(rig, dawdling()))
        await began.wait()
        second = tasks.create_task(post(rig, body((2, {"T1": 2}))))
        other = tasks.create_task(post(rig, body((3, {"T1": 3})), PLACES[1]))
        await rig.clock.settle()
        assert [raw.topic for raw in rig.inbox] == ["hw/v1/P1/E1/G2/data"]
        slow.set()
        await rig.clock.settle()
        rig.store(*rig.judge())
    assert [counts(one.result()) for one in (first, second, other)] == [(1, 0, 0)] * 3
    assert [float(batch.frame.value[0]) for batch in rig.batches] == [3, 1, 2]


async def test_only_so_many_requests_are_served_at_once():
    rig = Rig(requests=4, per_gateway=2)
    async with asyncio.TaskGroup() as tasks:
        asking = [
            tasks.create_task(post(rig, body((n, {"T1": n})), PLACES[place]))
            for n, place in enumerate((0, 0, 0, 2, 2, 1))
        ]
        await rig.clock.settle()
        rig.store(*rig.judge())
    answers = [one.result() for one in asking]
    assert sorted(one.status_code for one in answers) == [200, 200, 200, 200, 429, 503]
    problem(answers[2], 429, "over-quota")
    problem(answers[5], 503, "not-taking")
    assert answers[2].headers["retry-after"] == answers[5].headers["retry-after"] == "1"


async def test_a_backlog_of_one_enterprise_is_its_own_trouble():
    rig = Rig(serving=True)
    rig.full.add(("P1", "E1"))
    problem(await post(rig), 503, "not-taking")
    assert (await post(rig, body((0, {"T1": 1})), PLACES[2])).status_code == 200


# When it cannot be made durable


async def test_while_nothing_can_be_made_durable_nothing_is_taken():
    rig = Rig()
    rig.away = True
    answer = await post(rig)
    problem(answer, 503, "not-durable")
    assert (rig.inbox, answer.headers["retry-after"]) == ([], "5")
    rig.door.close("hazwatch is stopping")
    assert "stopping" in problem(await post(rig), 503, "not-taking")["detail"]


async def test_what_went_away_while_the_body_came_takes_nothing():
    rig = Rig()

    async def slowly():
        yield GOOD[:5]
        rig.away = True
        yield GOOD[5:]

    problem(await post(rig, slowly()), 503, "not-durable")
    assert rig.inbox == []


async def test_who_waits_when_the_database_goes_away_is_told_that_a_repeat_costs_nothing():
    rig = Rig()
    numbered = body((0, {"T1": 1}), seq=0)
    async with asyncio.TaskGroup() as tasks:
        asking = tasks.create_task(post(rig, numbered))
        await rig.clock.settle()
        numbers = rig.judge()
        rig.door.waiting.give_up()
        told = problem(await asking, 503, "not-durable")
        assert "costs nothing" in told["detail"]
        rig.store(*numbers)
        again = tasks.create_task(post(rig, numbered))
        await rig.clock.settle()
        rig.store(*rig.judge())
    assert counts(again.result()) == (0, 1, 0)


async def test_an_entry_that_was_passed_over_is_never_called_stored():
    rig = Rig()
    async with asyncio.TaskGroup() as tasks:
        first = tasks.create_task(post(rig, body((0, {"T1": 1}))))
        second = tasks.create_task(post(rig, body((1, {"T1": 1}))))
        await rig.clock.settle()
        _, number = rig.judge()
        rig.store(number)
    problem(first.result(), 503, "not-durable")
    assert counts(second.result()) == (1, 0, 0)


async def test_an_outcome_that_is_not_known_is_never_called_stored():
    from storage.samples import NOTHING

    rig = Rig()
    async with asyncio.TaskGroup() as tasks:
        asking = tasks.create_task(post(rig))
        await rig.clock.settle()
        (number,) = rig.judge()
        rig.door.waiting.stored(number, NOTHING)
    problem(asking.result(), 503, "not-durable")


async def test_nobody_waits_for_ever():
    problem(await post(Rig(answer_s=0.02)), 503, "not-durable")


async def test_a_sender_who_hangs_up_leaves_nothing_behind():
    rig = Rig()
    async with asyncio.TaskGroup() as tasks:
        asking = tasks.create_task(post(rig))
        await rig.clock.settle()
        asking.cancel()
    assert (len(rig.door.waiting), rig.sample("waiting")) == (0, 0)
    rig.store(*rig.judge())
    assert (await post(Rig(serving=True))).status_code == 200


# Whatever comes


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=8), inner),
).map(lambda said: json.dumps(said).encode())
BODIES = st.tuples(
    st.one_of(
        st.binary(max_size=400),
        JSON,
        st.sampled_from([GOOD, *(file.read_bytes() for file in CORPUS)]),
    ),
    st.sampled_from([bytes, gzip.compress, zstandard.compress]),
    st.sampled_from(["", "gzip", "zstd", "br", "gzip, gzip"]),
    st.integers(0, 500),
    st.integers(0, 255),
)


@settings(max_examples=60)
@given(st.lists(BODIES, min_size=10, max_size=40))
def test_no_body_is_answered_with_500(bodies):
    async def ask():
        rig = Rig(serving=True)
        async with rig.client() as client:
            for payload, pack, coding, place, byte in bodies:
                sent = bytearray(pack(payload))
                sent[place : place + 1] = [byte] if place < len(sent) else b""
                headers = {"Content-Encoding": coding}
                answer = await client.post(PLACES[0], content=bytes(sent), headers=headers)
                assert answer.status_code in (200, 413, 415, 422), answer.text
        assert len(rig.door.waiting) == 0

    asyncio.run(ask())


def test_every_kind_of_refusal_is_explained():
    source = (Path(__file__).parents[3] / "ingest" / "http_refusals.py").read_text("utf-8")
    kinds = set(re.findall(r'(?:Refused|_later)\(\s*\d{3},\s*"([a-z-]+)"', source))
    assert len(kinds) >= 8
    assert kinds | {"unreadable", "too-large"} <= set(EXPLANATIONS)


@pytest.mark.parametrize(
    "refused",
    [
        b'{"boot": "b", "seq": 1, "samples": [',
        gzip.compress(body((0, {f"X{n}": 1 for n in range(100_001)}), seq=1)),
    ],
)
async def test_what_was_refused_whole_is_no_duplicate_when_it_comes_mended(refused):
    rig = Rig(serving=True)
    assert counts(await post(rig, body((0, {"T1": 1}), seq=0))) == (1, 0, 0)
    assert (await post(rig, refused)).status_code in (413, 422)
    assert counts(await post(rig, body((20, {"T1": 3}), seq=2))) == (1, 0, 0)
    assert counts(await post(rig, body((10, {"T1": 2}), seq=1))) == (1, 0, 0)
    assert [delta.seen for batch in rig.batches for delta in batch.ledger] == [
        ((0, 0),),
        ((2, 2),),
        ((1, 1),),
    ]


async def test_slow_bodies_of_one_enterprise_leave_room_for_another():
    rig = Rig(serving=True, requests=4)

    async def endless():
        yield b"{"
        await asyncio.Event().wait()

    async with asyncio.TaskGroup() as tasks:
        slow = [tasks.create_task(post(rig, endless(), place)) for place in PLACES[:2]]
        await rig.clock.settle()
        told = problem(await post(rig), 429, "over-quota")
        assert "This enterprise has 2 requests under way" in told["detail"]
        assert counts(await post(rig, body((0, {"T1": 1})), PLACES[2])) == (1, 0, 0)
        for one in slow:
            one.cancel()
    assert counts(await post(rig)) == (2, 0, 0)
