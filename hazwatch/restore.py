"""What a worker finds when it starts: registry, the engine brought up to the last stored sample,
known occurrences."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from domain.alarms import ACTIVE, Alarm, Finding, Kind
from domain.edge_alarm import edge_policy
from domain.inputs import modes as modes_of
from domain.instant import micros, moment
from domain.modes import Held, Kept, Modes, held_limits
from domain.plant import Registry
from domain.policy import LIMITS
from hazwatch.pca_models import read_plant
from hazwatch.planning import Unjudged, marked, planned
from hazwatch.stance import Stance
from hazwatch.ticks import SLACK
from hazwatch.told_desks import DeskMemory
from hazwatch.warnings import Memory
from ingest.batch import PlantAlarm
from ingest.intake import Intake
from ingest.snapshot import SnapshotError as IntakeSnapshotError
from rules.engine import step
from rules.plan import Plan
from rules.snapshot import SnapshotError
from rules.state import RuleState
from storage import snapshots
from storage.alarms import read_known
from storage.cases import read_known_cases, read_steps
from storage.database import Connection
from storage.desk_notes import read_desks, read_heard, read_notes
from storage.edge_alarms import read_plant_alarms
from storage.inputs import read_inputs
from storage.ledgers import Ledger, read_ledgers

log = structlog.get_logger(__name__)

WITHOUT_SNAPSHOT = timedelta(hours=1)
"""How far back stored samples are judged again where there is no readable snapshot."""
MAGIC = b"hazwatch"
"""What a snapshot of engine and intake begins with."""
MAGIC_3 = b"hazwatc3"
"""What one with the stance begins with."""
CLOSED_WITHIN = timedelta(hours=1)
"""Occurrences closed so recently are remembered: a redelivered sample must not open them again."""


@dataclass(frozen=True, slots=True)
class Restored:
    """A consistent start. findings: of the stored samples that the snapshot had not seen.

    last: stamp of the newest sample that was ever stored here, None for an empty database.
    ticked: up to when ticks have been judged. said: the newest alarms that plants reported.
    modes: operating modes that held when the last run saved itself, or hold now; kept: what stays
    in force against them. unjudged: what the plan had to leave out.
    desks: what was told beside alarms.
    """

    registry: Registry
    plan: Plan
    state: RuleState
    intake: Intake
    findings: list[Finding]
    known: list[Alarm]
    ledgers: list[Ledger]
    last: int | None
    ticked: datetime
    warnings: Memory
    said: list[PlantAlarm]
    modes: Modes
    kept: Kept
    unjudged: Unjudged
    desks: DeskMemory


async def restore(
    conn: Connection, shard: str, at: datetime, plant: Registry | None = None
) -> Restored:
    """Read and judge everything up to the present; the spool has been drained before. plant: what
    `read_plant` gives, if it is known."""
    saved = await snapshots.load(conn, shard)
    since = at - WITHOUT_SNAPSHOT if saved is None else min(moment(saved.stamp), at)
    known = await read_known(conn, None, since - WITHOUT_SNAPSHOT - CLOSED_WITHIN)
    stated = await read_inputs(conn, at)
    registry = plant or await read_plant(conn)
    modes, kept = _modes(registry, saved, modes_of(stated, at), known)
    plan, unjudged = planned(registry, modes, kept)
    registry = marked(registry, unjudged, registry, at)
    engine, memory = (None, None) if saved is None else apart(saved.body)
    state, stamp = _engine(plan, saved, engine, at)
    ledgers = await read_ledgers(conn, [gateway.id for gateway in registry.gateways])
    intake = Intake(registry, ledgers)
    if memory is not None and saved is not None and stamp == saved.stamp:
        _remember(intake, memory)
    intake.seed_last_judged(plan.tags, state.last_at())
    findings: list[Finding] = []
    last = saved.stamp if saved else None
    # Only samples let time pass here: what the broker still holds may contradict a tick.
    ticked = moment(stamp) - SLACK
    async for rows in snapshots.samples_after(conn, stamp, list(registry.tags)):
        findings += step(plan, state, intake.judged_again(rows).judged(), ticked)
        last = rows.received
    cases = await read_known_cases(conn)
    steps = await read_steps(conn, [case.id for case in cases if case.closed is None])
    warnings = Memory(cases, steps, known, stated)
    said = await read_plant_alarms(conn, at - timedelta(microseconds=edge_policy().sends))
    log.info("restored", action="start", tags=len(plan), again=len(findings), known=len(known))
    return Restored(
        *(registry, plan, state, intake, findings, known, ledgers, last, ticked, warnings, said),
        modes,
        kept,
        unjudged,
        await read_desk_memory(conn, at),
    )


async def read_desk_memory(conn: Connection, at: datetime) -> DeskMemory:
    """What desks heard lately, and what they were told."""
    desks = await read_desks(conn)
    changes = await read_heard(conn, desks, at)
    return DeskMemory(changes, await read_notes(conn), desks)


def _modes(
    registry: Registry, saved: snapshots.Snapshot | None, now: Modes, known: Iterable[Alarm]
) -> tuple[Modes, Kept]:
    """The modes in which the engine was saved, and what was kept against them: the pump follows
    those of today, and takes care that nothing ends by that. Where they were not saved, those that
    hold now."""
    stance = None if saved is None else Stance.of(stance_in(saved.body), registry)
    if stance is not None:
        return stance.modes, stance.kept
    return now, Kept(held_limits(registry, now, active_limits(known)))


def active_limits(alarms: Iterable[Alarm]) -> Held:
    """The limits of those occurrences that are active, by tag."""
    found: dict[int, dict[Kind, float]] = {}
    for alarm in alarms:
        if alarm.state in ACTIVE and alarm.kind in LIMITS:
            found.setdefault(alarm.tag or 0, {})[alarm.kind] = alarm.limit
    return found


def together(engine: bytes, intake: bytes, stance: bytes = b"") -> bytes:
    """One body for the snapshots of `RuleState`, `Intake` and `Stance` of the same moment."""
    if not stance:
        return b"".join((MAGIC, _size(engine), engine, intake))
    return b"".join((MAGIC_3, _size(engine), engine, _size(intake), intake, stance))


def apart(body: bytes) -> tuple[bytes, bytes | None]:
    """(engine, intake) of a body that `together` made; an older one is all engine."""
    if body.startswith(MAGIC_3):
        engine, rest = _first(body[len(MAGIC_3) :])
        return engine, _first(rest)[0]
    if not body.startswith(MAGIC):
        return body, None
    return _first(body[len(MAGIC) :])


def stance_in(body: bytes) -> bytes | None:
    """The stance of a body that `together` made; None in one of an earlier release."""
    if not body.startswith(MAGIC_3):
        return None
    return _first(_first(body[len(MAGIC_3) :])[1])[1]


def _size(part: bytes) -> bytes:
    return len(part).to_bytes(8)


def _first(body: bytes) -> tuple[bytes, bytes]:
    """A sized part, and the rest."""
    end = 8 + int.from_bytes(body[:8])
    return body[8:end], body[end:]


def _engine(
    plan: Plan, saved: snapshots.Snapshot | None, engine: bytes | None, at: datetime
) -> tuple[RuleState, int]:
    """The engine's state, and the stamp after which stored samples are still to be judged."""
    if saved is not None and engine is not None:
        try:
            return RuleState.from_bytes(plan, engine), saved.stamp
        except SnapshotError as error:
            log.warning("snapshot can't be read", action="judge again", error=str(error))
    return RuleState.fresh(plan, micros(at)), micros(at - WITHOUT_SNAPSHOT)


def _remember(intake: Intake, memory: bytes) -> None:
    """Without it gateways' clocks are learnt anew: then at most too much is judged."""
    try:
        intake.restore(memory)
    except IntakeSnapshotError as error:
        log.warning("clocks can't be read", action="learn anew", error=str(error))
