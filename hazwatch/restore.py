"""What a worker finds when it starts: registry, the engine brought up to the last stored sample,
known occurrences."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from domain.alarms import Alarm, Finding
from domain.edge_alarm import edge_policy
from domain.instant import micros, moment
from domain.plant import Registry
from hazwatch.ticks import SLACK
from hazwatch.warnings import Memory
from ingest.batch import PlantAlarm
from ingest.intake import Intake
from ingest.snapshot import SnapshotError as IntakeSnapshotError
from rules.compiling import compile_plan
from rules.engine import step
from rules.faults import tag_faults
from rules.plan import Plan
from rules.snapshot import SnapshotError
from rules.state import RuleState
from storage import snapshots
from storage.alarms import read_known
from storage.cases import read_known_cases, read_steps
from storage.database import Connection
from storage.edge_alarms import read_plant_alarms
from storage.inputs import read_inputs
from storage.ledgers import Ledger, read_ledgers
from storage.registry import read_registry

log = structlog.get_logger(__name__)

WITHOUT_SNAPSHOT = timedelta(hours=1)
"""How far back stored samples are judged again where there is no readable snapshot."""
MAGIC = b"hazwatch"
"""What a snapshot of engine and intake begins with."""
CLOSED_WITHIN = timedelta(hours=1)
"""Occurrences closed so recently are remembered: a redelivered sample must not open them again."""


@dataclass(frozen=True, slots=True)
class Restored:
    """A consistent start. findings: of the stored samples that the snapshot had not seen.

    last: stamp of the newest sample that was ever stored here, None for an empty database.
    ticked: up to when ticks have been judged. said: the newest alarms that plants reported.
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


async def restore(conn: Connection, shard: str, at: datetime) -> Restored:
    """Read and judge everything up to the present; the spool has been drained before."""
    registry = watchable(await read_registry(conn))
    plan = compile_plan(registry)
    saved = await snapshots.load(conn, shard)
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
    known = await read_known(conn, None, moment(stamp) - CLOSED_WITHIN)
    cases = await read_known_cases(conn)
    steps = await read_steps(conn, [case.id for case in cases if case.closed is None])
    warnings = Memory(cases, steps, known, await read_inputs(conn, at))
    said = await read_plant_alarms(conn, at - timedelta(microseconds=edge_policy().sends))
    log.info("restored", action="start", tags=len(plan), again=len(findings), known=len(known))
    return Restored(
        registry, plan, state, intake, findings, known, ledgers, last, ticked, warnings, said
    )


def watchable(registry: Registry) -> Registry:
    """The registry without tags that the rules can't watch: one bad tag must not blind all
    others."""
    faults = {tag.id: list(tag_faults(tag)) for tag in registry.tags.values()}
    for fault in (fault for faults_of in faults.values() for fault in faults_of):
        log.error("tag can't be watched", action="leave out", fault=fault)
    tags = {id: tag for id, tag in registry.tags.items() if not faults[id]}
    return replace(registry, tags=tags)


def together(engine: bytes, intake: bytes) -> bytes:
    """One body for the snapshots of `RuleState` and `Intake` of the same moment."""
    return MAGIC + len(engine).to_bytes(8) + engine + intake


def apart(body: bytes) -> tuple[bytes, bytes | None]:
    """(engine, intake) of a body that `together` made; an older one is all engine."""
    if not body.startswith(MAGIC):
        return body, None
    begin = len(MAGIC) + 8
    end = begin + int.from_bytes(body[len(MAGIC) : begin])
    return body[begin:end], body[end:]


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
