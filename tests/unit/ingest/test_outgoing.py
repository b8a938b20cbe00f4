import asyncio

from ingest.outgoing import Letter, Outgoing


def event(n: int) -> Letter:
    return Letter("events", b"%d" % n, 1, False)


def receipt(n: int, topic: str = "receipt") -> Letter:
    return Letter(topic, b"%d" % n, 1, True)


def all_of(outgoing: Outgoing) -> list[Letter]:
    letters = []
    while letter := outgoing.next():
        letters.append(letter)
    return letters


def test_events_go_out_in_order_and_before_what_is_retained():
    outgoing = Outgoing(10)
    for letter in (receipt(0), event(1), event(2)):
        outgoing.put(letter)
    assert all_of(outgoing) == [event(1), event(2), receipt(0)]


def test_of_retained_messages_only_the_newest_of_a_topic_goes_out():
    outgoing = Outgoing(10)
    for letter in (receipt(1), receipt(1, "other"), receipt(2)):
        outgoing.put(letter)
    assert all_of(outgoing) == [receipt(2), receipt(1, "other")]


def test_when_it_is_full_the_oldest_event_goes_and_is_counted():
    outgoing = Outgoing(3)
    for n in range(5):
        outgoing.put(event(n))
    assert outgoing.dropped == 2
    assert all_of(outgoing) == [event(2), event(3), event(4)]


def test_what_the_broker_did_not_confirm_is_sent_again_first():
    outgoing = Outgoing(10)
    for n in range(3):
        outgoing.sent(n, event(n))
    outgoing.confirmed(1)
    outgoing.confirmed(99)
    outgoing.put(event(3))
    assert (outgoing.unconfirmed, len(outgoing)) == (2, 3)
    outgoing.disconnected()
    assert outgoing.unconfirmed == 0
    assert all_of(outgoing) == [event(0), event(2), event(3)]


def test_an_unconfirmed_receipt_gives_way_to_a_newer_one():
    outgoing = Outgoing(10)
    outgoing.sent(1, receipt(1))
    outgoing.sent(2, receipt(1, "other"))
    outgoing.put(receipt(2))
    outgoing.disconnected()
    assert all_of(outgoing) == [receipt(2), receipt(1, "other")]


async def test_what_nobody_waits_for_any_more_does_not_go_out():
    out, arrived = Outgoing(10), asyncio.get_running_loop().create_future()
    out.put(Letter("notice", b"1", 1, False, arrived))
    out.put(event(2))
    arrived.cancel()
    assert out.next() == event(2)
