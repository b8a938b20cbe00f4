"""The work behind `hazwatch replay`: recording → gateway → broker, until the last receipt is in."""

import asyncio
from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from domain.clock import Clock, SystemClock
from domain.instant import rfc3339
from domain.replay_map import ReplayMap
from hazwatch.commands.documents import console
from simulators.broker import Broker
from simulators.gateway import Gateway
from simulators.message import Address
from simulators.playback import Tally, play_history, play_live
from simulators.recording import RecordingError, Row, Unreadable, rows

IN_FLIGHT = 50
"""Backfill messages that may wait for their receipt at once."""
LOOK_EVERY_S = 0.25


class StalledError(Exception):
    """Nothing has moved for too long; the text says what to do."""


@dataclass(frozen=True, slots=True)
class ReplayOptions:
    """What to play and where.

    speed: of live data, None plays backfill. limit: rows at most. timeout_s: longest time without
    progress.
    """

    file: Path
    plan: ReplayMap
    broker: Broker
    speed: float | None
    limit: int | None
    timeout_s: float


async def play(options: ReplayOptions, tally: Tally) -> Gateway:
    """Play the recording through its gateway and wait for the last receipt.

    `tally` is filled on the way. Raises `StalledError` after `timeout_s` without progress, and
    `RecordingError` where the table does not fit the map.
    """
    clock = SystemClock()
    gateway = _gateway(options, clock)
    recorded = recorded_rows(options.file, options.plan, options.limit)
    try:
        with closing(recorded), _progress() as progress:
            async with asyncio.TaskGroup() as group:
                helpers = [
                    group.create_task(gateway.run(), name="replay gateway"),
                    group.create_task(
                        _watch(gateway, options, clock, tally, progress), name="replay watch"
                    ),
                ]
                if options.speed is None:
                    await play_history(recorded, gateway, tally)
                else:
                    await play_live(recorded, gateway, clock, options.speed, tally)
                await gateway.drained()
                for helper in helpers:
                    helper.cancel()
    except* (RecordingError, StalledError) as failed:
        raise failed.exceptions[0] from None
    return gateway


def _gateway(options: ReplayOptions, clock: Clock) -> Gateway:
    plan = options.plan
    live = options.speed is not None
    address = Address(plan.park, plan.enterprise, plan.gateway)
    return Gateway(
        options.broker,
        address,
        clock,
        boot=f"replay-{rfc3339(clock.now())}",
        capacity=IN_FLIGHT,
        announce=live,
        # Backfill shall not push the real gateway off the broker.
        client_id=None if live else f"{plan.park}.{plan.enterprise}.{plan.gateway}.replay",
    )


def recorded_rows(file: Path, plan: ReplayMap, limit: int | None) -> Generator[Row | Unreadable]:
    """The rows of a file, at most `limit`; it stays open while they are read."""
    encoding = "utf-8-sig" if plan.encoding == "utf-8" else plan.encoding
    try:
        with file.open(encoding=encoding, newline="") as lines:
            for n, row in enumerate(rows(lines, plan)):
                if n == limit:
                    return
                yield row
    except UnicodeDecodeError as error:
        raise RecordingError(
            f"is not {plan.encoding}: {error}; say `encoding:` in the map"
        ) from error


async def _watch(
    gateway: Gateway, options: ReplayOptions, clock: Clock, tally: Tally, progress: Progress
) -> None:
    """Move the progress bar; raise `StalledError` after `timeout_s` without any."""
    bar = progress.add_task("", total=None)
    before, since = (-1, -1), clock.elapsed()
    while True:
        now = (gateway.published, tally.messages - gateway.held)
        if now != before or (gateway.connected.is_set() and not gateway.held):
            before, since = now, clock.elapsed()
        text = f"{tally.rows} rows, {tally.messages} messages, {gateway.held} without receipt"
        progress.update(bar, description=text)
        if clock.elapsed() - since > options.timeout_s:
            raise StalledError(_advice(gateway, options))
        await clock.sleep(LOOK_EVERY_S)


def _advice(gateway: Gateway, options: ReplayOptions) -> str:
    if not gateway.connected.is_set():
        return (
            f"no connection to the broker at {options.broker} for {options.timeout_s:g} s "
            f"({gateway.trouble}).\n"
            "Is it running? Set --mqtt-url or HAZWATCH_MQTT_URL (mqtt://user:password@host:port)."
        )
    where = f"{gateway.address.park}/{gateway.address.enterprise}/{gateway.address.gateway}"
    return (
        f"no receipt for {options.timeout_s:g} s; {gateway.held} messages of {where} have none.\n"
        "Is `hazwatch run` up, and its database? Is the gateway registered (hazwatch site show)? "
        "May it publish (broker's rules)?\n"
        "Repeating the replay is safe: what is stored already counts as duplicate."
    )


def _progress() -> Progress:
    return Progress(
        SpinnerColumn(),
        BarColumn(),
        TextColumn("{task.description}"),
        TimeElapsedColumn(),
        console=console(stderr=True),
        transient=True,
    )
