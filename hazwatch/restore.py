"""What a worker finds when it starts: registry, the engine brought up to the last stored sample,
known occurrences."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from domain.alarms import Alarm, Finding, Kind, State
from domain.edge_alarm import edge_policy
from domain.groups import voting_groups
from domain.inputs import modes as modes_of
from domain.instant import micros, moment
from domain.modes import Held, held_limits
from domain.plant import Registry
from domain.policy import LIMITS
from hazwatch.ticks import SLACK
from hazwatch.warnings import Memory
from ingest.batch import PlantAlarm
from ingest.intake import Intake
from ingest.snapshot import SnapshotError as IntakeSnapshotError
from rules.compiling import NO_MODES, NOTHING, compile_plan
from rules.engine import step
from rules.faults import tag_faults
from rules.plan import Plan, PlanError
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
    modes: operating modes that hold; held: limits that stay in force against them.
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
    modes: Mapping[int, str]
    held: Held


async def restore(conn: Connection, shard: str, at: datetime) -> Restored:
    """Read and judge everything up to the present; the spool has been drained before."""
    saved = await snapshots.load(conn, shard)
    since = at - WITHOUT_SNAPSHOT if saved is None else min(moment(saved.stamp), at)
    known = await read_known(conn, None, since - WITHOUT_SNAPSHOT - CLOSED_WITHIN)
    stated = await read_inputs(conn, at)
    registry, modes = watchable(await read_registry(conn)), modes_of(stated, at)
    held = held_limits(registry, modes, active_limits(known))
    registry, plan = planned(registry, modes, held)
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
        held,
    )


def watchable(registry: Registry) -> Registry:
    """The registry without tags that the rules can't watch: one bad tag must not blind all
    others."""
    faults = {tag.id: list(tag_faults(tag)) for tag in registry.tags.values()}
    for fault in (fault for faults_of in faults.values() for fault in faults_of):
        log.error("tag can't be watched", action="leave out", fault=fault)
    tags = {id: tag for id, tag in registry.tags.items() if not faults[id]}
    return replace(registry, tags=tags)


def active_limits(alarms: Iterable[Alarm]) -> Held:
    """The limits of those occurrences that are active, by tag."""
    found: dict[int, dict[Kind, float]] = {}
    for alarm in alarms:
        if alarm.state in (State.UNACK, State.ACKED) and alarm.kind in LIMITS:
            found.setdefault(alarm.tag or 0, {})[alarm.kind] = alarm.limit
    return found


def planned(
    registry: Registry, modes: Mapping[int, str] = NO_MODES, held: Held = NOTHING
) -> tuple[Registry, Plan]:
    """The registry without groups, written rules and data of vessels that cannot be compiled, such
    as those that name a tag that was left out, and its plan."""
    registry = _degraded(registry)
    while True:
        try:
            return registry, compile_plan(registry, modes, held)
        except PlanError as error:
            if not error.nodes & registry.nodes.keys():
                raise
            for problem in error.problems:
                log.error("node can't be watched", action="leave out", fault=problem)
            registry = _without(registry, error.nodes)


def _degraded(registry: Registry) -> Registry:
    """Groups that vote go on without the members that are not there, with as many votes less: a
    detector that is lost makes its group more sensitive (domain.md 5.3)."""
    nodes = dict(registry.nodes)
    for group in voting_groups(registry):
        if group.absent and group.members:
            names, lost = [tag.name for tag in group.members], len(group.absent)
            vote = f"{max(1, group.needed - lost)}oo{len(names)}"
            detail = {**group.node.detail, "vote": vote, "members": names}
            nodes[group.node.id] = replace(group.node, detail=detail)
            log.error(
                "group has lost members", action="degrade", group=group.node.code, vote=vote,
                node=group.node.id, absent=group.absent,
            )  # fmt: skip
    return replace(registry, nodes=nodes)


def _without(registry: Registry, wrong: Collection[int]) -> Registry:
    """Without these nodes; a vessel stays, but nothing is known of it."""
    nodes = {id: node for id, node in registry.nodes.items() if id not in wrong}
    for node in (registry.nodes[id] for id in wrong if id in registry.nodes):
        bare = {"kind": node.detail["kind"]} if "kind" in node.detail else {}
        if node.kind == "equipment" and node.detail != bare:
            nodes[node.id] = replace(node, detail=bare)
    return replace(registry, nodes=nodes)


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
