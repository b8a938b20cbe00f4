"""What the self-test is made of, and what its second path says to whom."""

from collections.abc import Awaitable, Callable, Iterator
from datetime import datetime
from math import nan
from uuid import UUID

from prometheus_client import CollectorRegistry

from alerts.channels import APPRISE, WEBHOOK
from alerts.channels.apprise_channel import AppriseChannel
from alerts.channels.webhook import WebhookChannel
from alerts.contacts import Book
from alerts.events import alarm_event
from alerts.text_own import self_test_failed
from domain.alarms import Alarm, Kind, Notice, State, Transition, notice_id, occurrence_id
from domain.clock import Clock
from domain.frame import Lane
from domain.instant import rfc3339
from domain.plant import Registry
from domain.policy import node_priority
from domain.self_test import BY, Pace, Standing, roots
from hazwatch.metrics import SelfTestMetrics
from hazwatch.pump import Pump
from hazwatch.second_path import SecondPath, Words
from hazwatch.self_test import SelfTest
from hazwatch.self_test_line import SelfTestLine
from hazwatch.self_test_people import told
from hazwatch.settings import Settings
from hazwatch.wordings import wording, writer
from ingest.connection import Address
from storage.database import DatabaseOptions

BACK = "hazwatch: 自检恢复 the self-test comes through again"


def self_test(
    settings: Settings,
    clock: Clock,
    database: DatabaseOptions,
    registry: CollectorRegistry,
    pump: Callable[[], Pump],
    ready: Callable[[], Awaitable[None]],
    arrived: Callable[[UUID], Awaitable[None]],
    book: Callable[[], Book],
) -> SelfTest | None:
    """The self-test of a worker; None where the settings want none. pump: of the worker, once it
    runs; ready: returns when that hears the gateways; arrived: when the canary's notice of an
    occurrence has arrived; book: what the contact file says."""
    if not settings.self_test:
        return None
    pace = pace_of(settings)
    metrics = SelfTestMetrics(registry)

    def line() -> SelfTestLine:
        address = Address.of(settings.mqtt_url, settings.mqtt_ca_file)
        name = f"hazwatch-{settings.shard}-self-test"
        return SelfTestLine(address, name, rfc3339(clock.now()), clock)

    def watch(standing: Callable[[], Standing]) -> SecondPath:
        return SecondPath(
            standing,
            pace,
            lambda: {
                WEBHOOK: WebhookChannel(settings.webhook_secret.get_secret_value(), clock=clock),
                APPRISE: AppriseChannel(
                    writer(wording(settings), settings.notice_language), settings.apprise_timeout_s
                ),
            },
            words(settings, lambda: pump().registry, book),
            clock,
            metrics,
        )

    return SelfTest(line, pump, pace, clock, database, metrics, watch, ready, arrived)


def pace_of(settings: Settings) -> Pace:
    """How often, and what counts as failed."""
    return Pace(
        settings.self_test_every_s,
        settings.self_test_within_s,
        settings.self_test_missed_percent,
        settings.self_test_late,
    )


def words(settings: Settings, registry: Callable[[], Registry], book: Callable[[], Book]) -> Words:
    """One notice for each who is to be told, with the body that the alarm in the list has; nothing
    of it is asked of the database."""

    def say(since: datetime, at: datetime, failed: bool, why: str) -> Iterator[Notice]:
        change = transition(registry(), since, at, failed=failed, why=why)
        alarm, event = change.alarm, change.event
        body = {**alarm_event(registry(), change).body, "self_test": True, "sent": rfc3339(at)}
        for ways, person in told(settings, book, at):
            channel, address = ways[0]
            if person is None:
                id = notice_id(alarm.id, alarm.n, event, address, channel)
                yield Notice(id, alarm.id, channel, address, body, at)
            else:
                id = notice_id(alarm.id, alarm.n, event, person.code, "person")
                own = {"person": person.code, "person_name": person.name}
                own |= {"language": person.language}
                yield Notice(
                    *(id, alarm.id, channel, address, body | own, at),
                    person=person.code,
                    ways=ways,
                )

    return say


def transition(
    registry: Registry, since: datetime, at: datetime, *, failed: bool, why: str
) -> Transition:
    """The alarm SELF_TEST as the second path tells it: raised, or over."""
    node = next(iter(roots(registry)), 0)
    before, after = (State.NORM, State.UNACK) if failed else (State.UNACK, State.RTNUN)
    alarm = Alarm(
        occurrence_id(Lane.LIVE, node, Kind.SELF_TEST, since),
        Lane.LIVE,
        Kind.SELF_TEST,
        None,
        node,
        node,
        node_priority(Kind.SELF_TEST),
        after,
        since,
        since,
        nan,
        nan,
        nan,
        n=1 if failed else 2,
        ended=None if failed else at,
        reason=why,
        text=self_test_failed(since, why) if failed else BACK,
    )
    return Transition(alarm, before, after, "raise" if failed else "return", at, BY)
