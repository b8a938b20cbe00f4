"""What of a step is said: events for the stream and the topics, notices, metrics and the log."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import uuid5

import structlog

from alerts.asking import UNACKNOWLEDGED
from alerts.events import alarm_event, is_news
from alerts.outgoing import Webhook, notices
from alerts.places import beside
from domain.alarms import NAMESPACE, Alarm, Notice, OutboxEvent, Priority, Transition
from domain.instant import micros, rfc3339
from domain.plant import Registry
from domain.self_test import CHANNEL, RECIPIENT, is_canarys, told_elsewhere
from hazwatch.metrics import WorkerMetrics
from hazwatch.told_desks import ToldDesks
from ingest.batch import ClockFinding

log = structlog.get_logger(__name__)

CANARY = Webhook(RECIPIENT, frozenset(Priority), channel=CHANNEL)
"""Who wants the canary's breaches: the self-test, which measures when they arrive."""


class Telling:
    """hooks: who wants which alarms; desks: what is known beside them."""

    def __init__(
        self, hooks: tuple[Webhook, ...], desks: ToldDesks, metrics: WorkerMetrics
    ) -> None:
        self._hooks = hooks
        self._desks = desks
        self._metrics = metrics

    def of(
        self, registry: Registry, transitions: Sequence[Transition]
    ) -> tuple[list[OutboxEvent], list[Notice]]:
        """An event of each transition, and the notices of those that are news."""
        events = [self._event(registry, change) for change in transitions]
        tell = [
            (change, event)
            for change, event in zip(transitions, events, strict=True)
            if is_news(change) and not told_elsewhere(registry, change.alarm)
        ]
        bodies = (self._body(registry, one.alarm, event) for one, event in tell)
        told = notices([one for one, _ in tell], bodies, self._hooks)
        return events, told + _canarys(registry, transitions, events)

    def late(self, registry: Registry, alarm: Alarm, at: datetime) -> dict[str, object]:
        """What a notice says of an alarm that nothing happens to but time."""
        same = Transition(alarm, alarm.state, alarm.state, UNACKNOWLEDGED, at)
        return self._body(registry, alarm, self._event(registry, same))

    def _body(self, registry: Registry, alarm: Alarm, event: OutboxEvent) -> dict[str, object]:
        said = {"text": alarm.text} | event.body | beside(registry, alarm)
        return said | self._desks.beside(registry, alarm)

    def count(self, registry: Registry, transitions: Iterable[Transition], open_now: int) -> None:
        """Into metrics and the log; the canary's alarms are nobody's."""
        for change in transitions:
            alarm = change.alarm
            if is_canarys(registry, alarm):
                continue
            self._metrics.transitions.labels(change.event, alarm.priority.value).inc()
            self._metrics.open_alarms.set(open_now)
            log.info(
                "alarm",
                action=change.event,
                priority=alarm.priority.value,
                state=change.target.value,
                occurrence=str(alarm.id),
                text=alarm.text,
                by=change.by,
            )

    def _event(self, registry: Registry, change: Transition) -> OutboxEvent:
        event = alarm_event(registry, change)
        alarm = event.body["alarm"]
        assert isinstance(alarm, dict), "an event of an alarm has the alarm"
        alarm["note"] = self._desks.note(change.alarm)
        return event


def _canarys(
    registry: Registry, transitions: Sequence[Transition], events: Sequence[OutboxEvent]
) -> list[Notice]:
    """The notices of the canary's breaches, each of which has to arrive at the self-test."""
    ours = [
        (change, event.body | {"cause": None, "alone": True})
        for change, event in zip(transitions, events, strict=True)
        if change.event == "raise" and is_canarys(registry, change.alarm)
    ]
    return notices([one for one, _ in ours], [body for _, body in ours], (CANARY,))


def clock_event(finding: ClockFinding, at: datetime) -> OutboxEvent:
    """What was found about a gateway's clock."""
    log.warning("gateway clock", action=finding.what, gateway=finding.gateway, text=finding.text)
    return system_event(
        at,
        {
            "what": finding.what,
            "gateway": str(finding.gateway),
            "error_s": finding.error_s,
            "text": finding.text,
        },
    )


def system_event(at: datetime, told: dict[str, object]) -> OutboxEvent:
    """An event about hazwatch or a gateway, for operators."""
    id = uuid5(NAMESPACE, f"system/{told.get('gateway', '')}/{told['what']}/{micros(at)}")
    body: dict[str, object] = {
        "id": str(id),
        "type": "system",
        "at": rfc3339(at),
        "node": None,
        "tag": None,
        "transition": None,
        "system": told,
    }
    return OutboxEvent(id, "system", at, None, None, None, body)
