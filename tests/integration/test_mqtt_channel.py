"""The MQTT channel of notices on a real Mosquitto."""

import asyncio
import json
import uuid
from datetime import UTC, datetime

import aiomqtt
import pytest
from prometheus_client import CollectorRegistry

from alerts.channels.channel import DeliveryError
from alerts.channels.mqtt import MqttChannel
from domain.alarms import Notice
from domain.clock import SystemClock
from ingest.broker_metrics import BrokerMetrics
from ingest.mqtt import Broker, BrokerOptions


def notice(topic: str) -> Notice:
    body: dict[str, object] = {"type": "warning", "text": "红色预警"}
    when = datetime(2026, 11, 21, tzinfo=UTC)
    return Notice(uuid.UUID(int=5), uuid.UUID(int=6), "mqtt", topic, body, when, 1)


def broker(url: str) -> Broker:
    options = BrokerOptions(url, f"hazwatch-{uuid.uuid4().hex[:8]}", retry_min_s=0.05)
    return Broker(options, (), SystemClock(), BrokerMetrics(CollectorRegistry()))


async def test_a_notice_has_arrived_when_the_broker_has_confirmed_it(mosquitto):
    topic = f"hw/v1/events/{uuid.uuid4().hex}/-/notice/PK"
    ours = broker(mosquitto.url)
    async with (
        aiomqtt.Client(mosquitto.host, mosquitto.port) as listener,
        asyncio.TaskGroup() as all,
    ):
        await listener.subscribe(topic, qos=1)
        running = all.create_task(ours.run())
        await MqttChannel(ours.deliver).send(notice(topic))
        message = await anext(aiter(listener.messages))
        running.cancel()
    expected = {"id": str(uuid.UUID(int=5)), "type": "warning", "text": "红色预警"}
    assert json.loads(bytes(message.payload)) == expected


async def test_without_a_broker_it_fails_and_can_be_tried_again():
    nowhere = broker("mqtt://127.0.0.1:1")
    with pytest.raises(DeliveryError, match="no broker confirmed it"):
        await MqttChannel(nowhere.deliver, timeout_s=0.05).send(notice("hw/v1/events/x"))
