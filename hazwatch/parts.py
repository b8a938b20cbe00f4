"""What a worker is made of, each part with its share of the settings."""

from collections.abc import Awaitable, Callable, Collection, Iterable
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

from prometheus_client import CollectorRegistry

from alerts.book import AlarmBook
from alerts.channels import APPRISE, WEBHOOK
from alerts.channels.apprise_channel import AppriseChannel
from alerts.channels.channel import Channel
from alerts.channels.log import LogChannel
from alerts.channels.mqtt import MqttChannel
from alerts.channels.webhook import WebhookChannel
from alerts.outgoing import Webhook
from alerts.sending import Sending
from domain.alarms import Notice
from domain.cases import ClockReading
from domain.clock import Clock, Stamps
from domain.instant import SECOND
from domain.plant import Registry
from domain.self_test import CHANNEL
from hazwatch.canary_notices import CanaryNotices
from hazwatch.messenger import Messenger
from hazwatch.metrics import WarningMetrics, WorkerMetrics
from hazwatch.notice_check import by_apprise
from hazwatch.pump import Pump
from hazwatch.restore import Restored
from hazwatch.settings import Settings
from hazwatch.ticks import TickTime
from hazwatch.warning_rules import kept_people, people_files, warning_rules
from hazwatch.warnings import Warnings
from hazwatch.wordings import wording, writer
from ingest.broker_metrics import BrokerMetrics
from ingest.metrics import IngestMetrics
from ingest.mqtt import Broker, BrokerOptions
from ingest.sparkplug.desk import Desk
from ingest.sparkplug.host import Host, HostOptions
from ingest.sparkplug.life import Options
from ingest.sparkplug.metrics import SparkplugMetrics
from ingest.witness import Claim
from storage.database import DatabaseOptions
from storage.gaps import GapLedger
from storage.journal import Entry, Journal, JournalOptions, Stored
from storage.spool import Spool

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class Parts:
    """Makes the parts of one worker; all count on one registry of metrics."""

    def __init__(self, settings: Settings, clock: Clock, registry: CollectorRegistry) -> None:
        self.metrics = WorkerMetrics(registry)
        self.broker_metrics = BrokerMetrics(registry)
        self.webhooks = WebhookChannel(settings.webhook_secret.get_secret_value(), clock=clock)
        self._write = writer(wording(settings), settings.notice_language)
        self._settings = settings
        self._clock = clock
        self._registry = registry
        self.people = people_files(settings, kept_people(settings))
        self.canary_notices = CanaryNotices()
        self._rules = warning_rules(settings, self.people)
        self._boot = boot_id()
        self._edge_nodes: Desk | None = None

    def journal(
        self,
        database: DatabaseOptions,
        spool: Spool,
        epoch: int,
        on_told: Callable[[Entry], None],
        on_safe: Callable[[Entry], None],
        on_stored: Callable[[Entry, Stored], None],
        gaps: GapLedger,
    ) -> Journal:
        """Where entries become durable."""
        settings = self._settings
        return Journal(
            database=database,
            spool=spool,
            clock=self._clock,
            shard=settings.shard,
            epoch=epoch,
            on_told=on_told,
            on_safe=on_safe,
            on_stored=on_stored,
            options=JournalOptions(
                group_s=settings.flush_after_s,
                group_size=settings.flush_samples,
                queue_size=settings.queue_samples,
                slow_s=settings.shed_after_s,
            ),
            registry=self._registry,
            gaps=gaps,
        )

    def messenger(
        self,
        database: DatabaseOptions,
        wanted: Callable[[Notice], bool],
        settled: Callable[[], bool],
        deliver: Callable[[str, bytes], Awaitable[None]],
        sending: Callable[[Notice, datetime], Sending],
        decided: Callable[[], Awaitable[Collection[UUID]]],
        silent: Callable[[], bool],
    ) -> Messenger:
        """What sends notices. deliver: see `MqttChannel`; the others: see `Messenger`."""
        channels: dict[str, Channel] = {
            "webhook": self.webhooks,
            "mqtt": MqttChannel(deliver),
            "log": LogChannel(),
            "apprise": AppriseChannel(self._write, self._settings.apprise_timeout_s),
            CHANNEL: self.canary_notices,
        }
        settings = self._settings
        bounds = sending, decided, settings.digest_over, silent, settings.lease_s
        return Messenger(channels, wanted, settled, self._clock, database, self.metrics, *bounds)

    def broker(self, found: Restored, ever: Iterable[tuple[str, str]], claim: Claim) -> Broker:
        """The connection to the gateways; not opened. ever: who was heard at any time."""
        settings = self._settings
        return Broker(
            BrokerOptions(
                settings.mqtt_url,
                name=f"hazwatch-{settings.shard}",
                ca_file=settings.mqtt_ca_file,
                inbox_bytes=settings.inbox_bytes,
            ),
            places(found.registry),
            self._clock,
            self.broker_metrics,
            absent_since=found.last,
            former=ever,
            claim=claim,
        )

    def pump(
        self,
        found: Restored,
        unheard: Callable[[], timedelta | None],
        emit: Callable[[Entry], None],
    ) -> Pump:
        """The straight line from messages to entries, where the last run left it."""
        settings = self._settings
        stamps = Stamps(self._clock, found.last or 0)
        return Pump(
            found.registry,
            found.plan,
            found.state,
            AlarmBook(found.registry, found.known, settings.timezone),
            found.intake,
            self._clock,
            TickTime(unheard, found.ticked, stamps.now()),
            stamps,
            self._warnings(found),
            emit,
            webhooks(settings),
            self.metrics,
            IngestMetrics(self._registry),
            found.modes,
            found.kept,
            found.unjudged,
            self._desk(found.registry),
            found.warnings.inputs,
            self._reading,
            found.desks,
        )

    def host(self, broker: Broker, registry: Registry) -> Host | None:
        """The connection to edge nodes, beside those of `broker`; not opened. None: there is to be
        none."""
        settings, desk = self._settings, self._desk(registry)
        if desk is None:
            return None
        options = HostOptions(
            settings.mqtt_url,
            settings.sparkplug_host_id,
            name=f"hazwatch-{settings.shard}-host",
            ca_file=settings.mqtt_ca_file,
        )
        metrics = SparkplugMetrics(self._registry)
        heard = broker.inbox, places(registry)
        return Host(options, desk, *heard, self._clock, metrics, broker.cleared)

    def _desk(self, registry: Registry) -> Desk | None:
        """The one desk of this worker."""
        settings = self._settings
        if self._edge_nodes is None and settings.sparkplug_host_id:
            rebirth = round(settings.sparkplug_rebirth_s * SECOND)
            reorder = round(settings.sparkplug_reorder_s * SECOND)
            self._edge_nodes = Desk(registry, Options(reorder, rebirth, rebirth))
        return self._edge_nodes

    def _warnings(self, found: Restored) -> Warnings:
        metrics = WarningMetrics(self._registry)
        return Warnings(found.registry, self._rules, found.warnings, self._reading, metrics)

    def _reading(self) -> ClockReading:
        return ClockReading(self._clock.now(), self._clock.elapsed(), self._boot)


def webhooks(settings: Settings) -> tuple[Webhook, ...]:
    """The addresses that want alarms."""
    return tuple(
        Webhook(url, settings.webhook_priorities, channel=APPRISE if by_apprise(url) else WEBHOOK)
        for url in settings.webhooks
    )


def places(registry: Registry) -> set[tuple[str, str]]:
    """(park, enterprise) codes of everybody whose gateways may speak."""
    return {(one.park, one.enterprise_code) for one in registry.gateways}


def boot_id() -> str:
    """This run of the machine, on which the monotonic clock counts; where it can't be known, this
    process."""
    try:
        return BOOT_ID.read_text("ascii").strip()
    except OSError:
        return str(uuid4())
