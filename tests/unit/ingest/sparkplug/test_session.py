"""Every rule that a Sparkplug B host must keep, on payloads made byte by byte."""

import pytest

from domain.quality import Quality
from ingest.sparkplug.births import MAX_DEVICES
from ingest.sparkplug.life import Phase
from tests.support.sparkplug import INT32, Node, metric, quality, reading, unit, whole

STALE = Quality.STALE


@pytest.fixture
def node() -> Node:
    return Node()


def born(node: Node, at: float = 0.0, **more) -> Node:
    node.birth(at, reading("A", 1.0, alias=1), reading("B", 2.0, alias=2), **more)
    return node


def test_what_stands_in_a_birth_is_a_reading_of_the_birth(node):
    node.birth(10, reading("A", 7.5, time=-7200), metric("B", more=whole(7, 1)))
    assert node.rows() == [("A", 10.0, 7.5, 192), ("B", 10.0, None, 0)]
    assert node.said() == [True]
    assert node.phase is Phase.ALIVE
    assert node.asked() == 0
    assert (node.count("messages_received"), node.count("messages_decoded")) == (1, 1)


def test_after_a_birth_the_alias_alone_is_enough_and_the_metric_has_its_own_time(node):
    born(node).data(5, reading(None, 3.0, alias=2, time=4.5), seq=1)
    assert node.rows()[-1] == ("B", 4.5, 3.0, 192)
    assert node.refused() == []


def test_zero_false_and_a_default_alias_are_said(node):
    node.birth(0, reading("A", 0.0, alias=0), metric("B", whole(14, 0), datatype=11, alias=3))
    node.data(1, reading(None, 0.0, alias=0), seq=1)
    assert [row[2] for row in node.rows()] == [0.0, 0.0, 0.0]


def test_signed_integers_take_the_type_of_their_birth(node):
    node.birth(0, metric("A", whole(10, 5), datatype=INT32, alias=1))
    node.data(1, metric(None, whole(10, 2**32 - 7), alias=1, datatype=None), seq=1)
    assert node.live("A") == [5.0, -7.0]


def test_the_numbers_wrap_at_256(node):
    born(node)
    for n in range(1, 600):
        node.data(n * 0.01, reading(None, float(n), alias=1), seq=n % 256)
    assert node.live("A") == [1.0, *map(float, range(1, 600))]
    assert (node.asked(), node.desk.tally.gaps) == (0, 0)


def test_a_message_out_of_order_waits_for_the_one_before_it(node):
    born(node)
    node.data(1, reading(None, 11.0, alias=1), seq=2)
    assert node.live("A") == [1.0]
    node.data(0.9, reading(None, 10.0, alias=1), seq=1, came=2)
    assert node.live("A") == [1.0, 10.0, 11.0]
    assert node.time(10) == []
    assert (node.asked(), node.desk.tally.gaps, node.desk.tally.late) == (0, 0, 1)


def test_a_gap_that_nothing_fills_within_the_timeout_asks_for_births(node):
    born(node)
    node.data(1, reading(None, 11.0, alias=1), reading("B", 12.0), seq=2)
    assert node.desk.due(node.raws[0].arrived + 3_999_999) == []
    assert node.desk.due(node.raws[0].arrived + 4_000_000) == [("P1", "E1", "G1")]
    node.time(3.9)
    assert (node.asked(), node.phase) == (0, Phase.ALIVE)
    node.time(4)
    assert (node.asked(), node.phase) == (1, Phase.UNSURE)
    assert node.live("B") == [2.0, 12.0], "what has a name needs no alias"
    assert node.live("A") == [1.0], "an alias is not guessed"
    assert node.findings() == ["sparkplug_gap"]


def test_after_a_gap_readings_by_alias_are_taken_when_a_birth_says_the_same_of_them(node):
    born(node)
    node.data(1, reading(None, 11.0, alias=1), reading(None, 12.0, alias=2), seq=2)
    node.time(4)
    node.birth(5, reading("A", 1.5, alias=1), reading("B", 2.5, alias=7))
    assert node.live("A") == [1.0, 11.0, 1.5]
    assert node.live("B") == [2.0, 2.5]
    assert node.refused() == [("no_birth", "alias 2")]
    assert node.phase is Phase.ALIVE
    assert node.count("messages_received") == node.count("messages_decoded") == 3


def test_a_birth_of_another_session_explains_no_earlier_alias(node):
    born(node)
    node.data(1, reading(None, 11.0, alias=1), seq=2)
    node.time(4)
    node.birth(5, reading("A", 1.5, alias=1), b=1)
    assert node.live("A") == [1.0, 1.5]
    assert node.refused() == [("no_birth", "alias 1")]


def test_requests_for_births_come_no_faster_than_every_10_s(node):
    for n in range(40):
        node.data(n * 0.5, reading(None, 1.0, alias=1), seq=n)
    assert node.asked() == 2
    node.time(20)
    assert node.asked() == 1


def test_an_unanswered_request_makes_what_is_known_stale(node):
    born(node)
    node.data(1, reading(None, 11.0, alias=1), seq=2)
    node.time(4)
    node.time(14)
    assert node.rows()[-2:] == [("A", 14.0, None, STALE), ("B", 14.0, None, STALE)]
    assert node.findings() == ["sparkplug_gap", "sparkplug_unanswered"]
    assert node.said()[-1] is None
    node.birth(20, reading("A", 5.0, alias=1))
    assert (node.live("A")[-1], node.phase) == (5.0, Phase.ALIVE)


def test_data_before_a_birth_asks_for_it_and_guesses_no_alias(node):
    node.data(0, reading(None, 1.0, alias=1), reading("B", 2.0), seq=7)
    assert node.asked() == 1
    node.birth(0.5, reading("A", 3.0, alias=1), reading("B", 2.0))
    assert node.live("A") == [3.0]
    assert node.live("B") == [2.0, 2.0]
    assert node.refused() == [("no_birth", "alias 1")]


def test_a_birth_that_its_data_overtook_explains_them(node):
    node.data(0.2, reading(None, 2.0, alias=1), seq=1)
    node.birth(0.1, reading("A", 1.0, alias=1), came=0.3)
    assert node.live("A") == [1.0, 2.0]
    assert node.refused() == []


def test_messages_that_wait_are_bounded(node):
    big = metric("C", b"", more=b"".join(whole(200, 1) for _ in range(300_000)))
    for n in range(6):
        node.data(0.1 * n, big, reading("A", float(n)), seq=n + 3)
    assert node.session._order.held_bytes <= 4 * 2**20
    node.time(5)
    assert node.live("A") == [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]


def test_a_death_of_the_session_makes_node_and_devices_stale_at_our_time(node):
    born(node)
    node.say("DBIRTH", 0.5, reading("A", 5.0, alias=10), device="TF", seq=1)
    node.death(7.25)
    assert node.rows()[-3:] == [
        ("A", 7.25, None, STALE),
        ("B", 7.25, None, STALE),
        ("TF/A", 7.25, None, STALE),
    ]
    assert node.said() == [True, False]
    assert (node.phase, node.desk.stale, node.desk.alive) == (Phase.DEAD, 3, 0)
    node.death(8)
    assert len(node.rows()) == 6, "a second death says nothing"


def test_a_death_of_another_session_is_ignored_but_the_node_is_asked(node):
    born(node, b=5).death(1, b=4)
    assert node.phase is Phase.ALIVE
    assert node.asked() == 1
    node.birth(1.2, reading("A", 1.0, alias=1), b=5)
    node.time(30)
    assert (node.phase, node.said()) == (Phase.ALIVE, [True, True])


def test_a_node_that_shows_no_life_after_a_death_of_another_session_is_lost(node):
    born(node, b=1).death(1, b=0)
    node.data(1.1, reading(None, 3.0, alias=1), seq=1)
    assert node.phase is Phase.ALIVE
    node.time(12)
    assert (node.phase, node.said()) == (Phase.UNSURE, [True, None])
    assert node.rows()[-1] == ("B", 12.0, None, STALE)


def test_bdseq_stays_on_a_rebirth_and_goes_on_after_a_death(node):
    born(node, b=255)
    born(node, 1.0, b=255)
    node.death(2, b=255)
    born(node, 3.0, b=0)
    node.death(3.1, b=255)
    assert node.phase is Phase.ALIVE
    node.death(4, b=0)
    assert node.said()[-1] is False


def test_a_birth_right_behind_the_death_of_its_session_is_held(node):
    born(node, b=3).death(1, b=3)
    node.birth(0.99, reading("A", 4.0, alias=1), b=3, came=1.1)
    assert node.phase is Phase.DEAD
    node.time(1.4)
    assert (node.asked(), node.phase) == (1, Phase.DEAD)
    node.time(12)
    assert (node.phase, node.desk.stale) == (Phase.DEAD, 2)
    assert node.rows()[-1] == ("A", 0.99, 4.0, 192), "it is history"


def test_an_alias_alone_does_not_show_that_a_held_birth_lives(node):
    born(node, b=0).death(1, b=0)
    node.birth(1.05, reading("A", 4.0, alias=1), b=0, came=1.1)
    node.data(2, reading(None, 5.0, alias=1), seq=1)
    assert node.phase is not Phase.ALIVE


def test_a_held_birth_counts_when_its_session_shows_life(node):
    born(node, b=0).death(1, b=0)
    node.birth(1.05, reading("A", 4.0, alias=1), b=0, came=1.1)
    node.data(2, reading("A", 5.0), seq=1)
    assert node.phase is Phase.ALIVE
    assert node.live("A") == [1.0, None, 4.0, 5.0]


def test_a_rebirth_after_the_hold_ends_the_death(node):
    born(node, b=0).death(1, b=0)
    node.birth(1.3, reading("A", 4.0, alias=1), b=0)
    assert (node.phase, node.desk.stale) == (Phase.ALIVE, 1)


def test_data_overtaken_by_the_death_are_history(node):
    born(node).death(1)
    node.data(0.9, reading(None, 4.0, alias=1), seq=1, came=1.1)
    assert node.rows()[-1] == ("A", 0.9, 4.0, 192)
    assert node.live("A") == [1.0, None]
    assert node.refused() == []


def test_a_death_of_a_device_makes_its_metrics_stale_and_leaves_the_others(node):
    born(node)
    node.say("DBIRTH", 1, reading("A", 5.0, alias=10), device="TF", seq=1)
    node.say("DDEATH", 2, device="TF", seq=2)
    assert node.rows()[-1] == ("TF/A", 2.0, None, STALE)
    node.data(3, reading(None, 6.0, alias=1), seq=3)
    assert node.live("A") == [1.0, 6.0]
    node.data(4, reading(None, 7.0, alias=10), device="TF", seq=4)
    assert node.refused() == [("unknown_alias", "alias 10")]
    assert node.asked() == 1
    node.say("DBIRTH", 5, reading("A", 8.0, alias=10), device="TF", seq=5)
    assert node.live("TF/A") == [5.0, None, 8.0]


def test_a_device_that_is_not_born_again_after_a_rebirth_is_stale(node):
    born(node)
    node.say("DBIRTH", 1, reading("A", 5.0, alias=10), device="TF", seq=1)
    born(node, 2.0)
    node.time(11)
    assert node.live("TF/A") == [5.0]
    node.time(12)
    assert node.live("TF/A") == [5.0, None]


def test_a_metric_that_a_rebirth_leaves_out_is_stale(node):
    born(node).birth(1, reading("A", 1.0, alias=1))
    assert node.rows()[-1][0] == "B"
    assert node.rows()[-1][3] == STALE


def test_losing_the_broker_makes_all_stale_and_a_birth_ends_it(node):
    born(node).lost(5)
    assert node.rows()[-2:] == [("A", 5.0, None, STALE), ("B", 5.0, None, STALE)]
    assert node.said()[-1] is None
    node.up(8)
    node.time(9.9)
    assert node.asked() == 0
    node.time(10)
    assert node.asked() == 1
    born(node, 10.2)
    assert (node.live("A"), node.desk.stale) == ([1.0, None, 1.0], 0)


def test_what_was_known_before_a_restart_is_stale_until_the_node_is_born(node):
    born(node)
    again = Node()
    again.intake.restore(node.intake.snapshot())
    for gateway, tags in again.intake.edge_nodes():
        again.desk.seed(gateway, tags)
    again.lost(60)
    assert [row[0] for row in again.rows()] == ["A", "B"]
    assert {row[3] for row in again.rows()} == {STALE}
    again.up(60)
    again.time(62)
    assert again.asked() == 1


def test_historical_metrics_go_to_history_and_their_neighbours_do_not(node):
    born(node)
    old = reading("A", 9.0, time=-3600, more=whole(5, 1))
    node.data(5, old, reading("B", 3.0), seq=1)
    assert node.live("A") == [1.0]
    assert node.live("B") == [2.0, 3.0]
    assert ("A", -3600.0, 9.0, 192) in node.rows()
    assert node.count("messages_received") == 2


@pytest.mark.parametrize(
    ("code", "kept"), [(0, 0), (192, 192), (500, STALE), (64, 64), (80, 80), (255, 255)]
)
def test_quality_is_kept_as_opc_has_it(node, code, kept):
    node.birth(0, reading("A", 4.0, more=quality(code)))
    assert node.rows() == [("A", 0.0, 4.0, kept)]


def test_other_qualities_are_taken_for_uncertain_and_told(node):
    node.birth(0, reading("A", 4.0, more=quality(501)), reading("B", 2.0))
    assert node.rows() == [("A", 0.0, 4.0, 64), ("B", 0.0, 2.0, 192)]
    assert node.refused() == [("bad_quality", None)]


def test_silence_within_a_session_is_not_a_death(node):
    born(node)
    assert node.desk.due(2**62 - 1) == []


def test_metrics_of_the_protocol_are_no_tags_and_others_are_quarantined(node):
    node.birth(0, metric("Node Control/Rebirth", whole(14, 0), datatype=11), reading("X", 1.0))
    assert node.refused() == [("unknown_tag", "X")]


def test_a_tag_named_after_its_device_comes_first_and_one_tag_has_one_metric(node):
    born(node)
    node.say("DBIRTH", 1, reading("A", 5.0), reading("C", 6.0), device="TF", seq=1)
    node.say("DBIRTH", 2, reading("C", 7.0), device="TG", seq=2)
    assert node.live("TF/A") == [5.0]
    assert node.live("C") == [6.0]
    assert node.refused() == [("ambiguous_metric", "C")]


def test_an_alias_that_two_metrics_have_means_neither(node):
    born(node)
    node.say("DBIRTH", 1, reading("C", 5.0, alias=1), device="TF", seq=1)
    node.data(2, reading(None, 8.0, alias=1), seq=2)
    node.data(3, reading(None, 8.0, alias=1), device="TF", seq=3)
    assert node.live("A") == [1.0]
    assert node.live("C") == [5.0]
    assert {reason for reason, _ in node.refused()} == {"unknown_alias"}


def test_an_alias_of_a_device_is_nothing_in_a_message_of_the_node(node):
    born(node)
    node.say("DBIRTH", 1, reading("C", 5.0, alias=9), device="TF", seq=1)
    node.data(2, reading(None, 8.0, alias=9), seq=2)
    assert node.live("C") == [5.0]


def test_another_unit_than_the_registered_one_is_not_taken_as_it_stands(node):
    node.birth(0, reading("A", 1.0, alias=1, more=unit("furlong")))
    node.data(1, reading(None, 2.0, alias=1), seq=1)
    assert node.live("A") == []
    assert len(node.refused()) == 2


def test_a_repeated_message_is_counted_and_nothing_else(node):
    born(node)
    for _ in range(3):
        node.data(1, reading(None, 5.0, alias=1), seq=1)
    assert node.live("A") == [1.0, 5.0]
    assert node.count("messages_repeated") == 2
    assert node.time(20) == []


def test_retained_births_are_no_news(node):
    node.birth(0, reading("A", 1.0), retained=True)
    assert node.rows() == []
    assert node.refused() == [("retained", None)]
    assert node.asked() == 1


def test_a_message_that_cannot_be_read_is_a_gap_and_is_kept(node):
    from ingest.batch import Raw
    from tests.support.gateway_line import us

    born(node)
    node.take(Raw("spBv1.0/P1:E1/NDATA/G1", b"\xff\xff\xff", arrived=us(1)))
    node.data(2, reading(None, 5.0, alias=1), seq=2)
    node.time(6)
    assert node.refused() == [("malformed", None)]
    assert node.asked() == 1


def test_commands_of_others_and_unknown_places(node):
    from ingest.batch import Raw

    assert node.take(Raw("spBv1.0/P1:E1/NCMD/G1", b"")) == []
    node.take(Raw("spBv1.0/P1:E1/NBIRTH/G9", b"", arrived=1))
    node.take(Raw("spBv1.0/P1:E1/XDATA/G1", b"", arrived=1))
    node.take(Raw("spBv1.0/P1E1/NDATA/G1", b"", arrived=1))
    reasons = [reason for reason, _ in node.refused()]
    assert reasons == ["unknown_gateway", "bad_topic", "bad_topic"]


@pytest.mark.parametrize("ahead", [-30.0, 30.0])
def test_a_clock_that_is_a_little_off_hides_neither_death_nor_rebirth(node, ahead):
    node.ahead = ahead
    born(node)
    node.data(1, reading(None, 3.0, alias=1), seq=1)
    node.death(2)
    born(node, 3.0, b=1)
    node.data(4, reading(None, 60.0, alias=1), seq=1)
    assert node.live("A") == [1.0, 3.0, None, 1.0, 60.0]
    stored = sorted((time, value) for tag, time, value, _ in node.rows() if tag == "A")
    assert [value for _, value in stored] == [1.0, 3.0, None, 1.0, 60.0], "latest is by time"


@pytest.mark.parametrize("ahead", [-28_800.0, 28_800.0])
def test_a_clock_that_is_hours_off_is_put_right_for_the_death_too(node, ahead):
    node.ahead = ahead
    born(node)
    node.data(1, reading(None, 3.0, alias=1), seq=1)
    node.death(2)
    born(node, 3.0, b=1)
    node.data(4, reading(None, 60.0, alias=1), seq=1)
    stored = sorted((time, value) for tag, time, value, _ in node.rows() if tag == "A")
    assert [value for _, value in stored] == [1.0, 3.0, None, 1.0, 60.0]
    assert [time for time, _ in stored] == pytest.approx([0, 1, 2, 3, 4], abs=0.01)
    assert node.findings() == ["zone"]


def test_a_clock_set_back_during_a_session_costs_one_rebirth(node):
    born(node, 100.0)
    node.data(101, reading(None, 3.0, alias=1), seq=1, time=90)
    node.time(105)
    assert node.asked() == 1
    node.birth(105.2, reading("A", 4.0, alias=1), time=94)
    assert (node.phase, node.live("A")[-1]) == (Phase.ALIVE, 4.0)


def test_the_client_that_puts_data_before_names_in_births_only(node):
    node.birth(0, reading("DATA/A", 1.0), metric("CMD/Node Control/Rebirth", whole(14, 0)))
    node.data(1, reading("A", 2.0), seq=1)
    assert node.live("A") == [1.0, 2.0]
    assert node.refused() == []


def test_births_of_a_clock_that_stands_still_are_taken_again_when_they_were_asked_for(node):
    def births() -> None:
        node.birth(0, reading("A", 1.0, alias=1))
        node.say("DBIRTH", 0, reading("C", 1.0, alias=2), device="TF", seq=1)

    births()
    node.data(0, reading(None, 2.0, alias=1), seq=3, came=1)
    node.time(5)
    assert (node.asked(), node.phase) == (1, Phase.UNSURE)
    births()
    assert node.phase is Phase.ALIVE
    node.data(0, reading(None, 99.0, alias=1), seq=2, came=6)
    node.say("DDATA", 0, reading(None, 98.0, alias=2), device="TF", seq=3, came=7)
    assert (node.live("A")[-1], node.live("C")[-1]) == (99.0, 98.0)
    assert node.desk.tally.gaps == 1


def test_a_birth_that_comes_twice_is_one(node):
    born(node)
    node.data(1, reading(None, 3.0, alias=1), seq=1)
    born(node)
    node.data(2, reading(None, 4.0, alias=1), seq=2)
    assert node.live("A") == [1.0, 3.0, 4.0]
    assert node.count("messages_repeated") == 1


def test_deaths_of_devices_that_nobody_knows_take_no_memory_and_no_place(node):
    born(node)
    for n in range(MAX_DEVICES + 500):
        node.say("DDEATH", 1, device=f"X{n}", seq=(n + 1) % 256)
    assert len(node.session._reader.births.devices) <= MAX_DEVICES
    node.say("DBIRTH", 2, reading("C", 1.0), device="TF", seq=(MAX_DEVICES + 501) % 256)
    assert node.live("C") == [1.0]


def test_a_node_declares_no_more_metrics_than_are_kept(node, monkeypatch):
    monkeypatch.setattr("ingest.sparkplug.births.MAX_METRICS", 5)
    born(node)
    node.say("DBIRTH", 1, *(reading(f"M{n}", 1.0) for n in range(4)), device="X", seq=1)
    assert node.refused()[-1][0] == "too_many_devices"
    node.say("DBIRTH", 2, reading("C", 1.0), device="TF", seq=2)
    assert node.live("C") == [1.0]
