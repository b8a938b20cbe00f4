"""Fault points: named places where a test lets this process die, or freeze, as a machine might.

None is set unless `arm` is called; `hazwatch run` calls it with `VARIABLE`, which no production
sets. See docs/decisions/0018-fault-points.md.
"""

import os
import re
import signal
from enum import StrEnum

import structlog

log = structlog.get_logger(__name__)

VARIABLE = "HAZWATCH_TEST_FAULT_POINT"
_SPEC = re.compile(r"([a-z.]+)=(kill|freeze)(?::([1-9]\d{0,5}))?")
_SIGNALS = {"kill": signal.SIGKILL, "freeze": signal.SIGSTOP}


class Point(StrEnum):
    """Where. `written`: in the transaction, before its commit. `committed`: nobody knows yet."""

    CASE_WRITTEN = "case.written"
    CASE_COMMITTED = "case.committed"
    RUNG_WRITTEN = "rung.written"
    RUNG_COMMITTED = "rung.committed"
    NOTICE_LEAVING = "notice.leaving"
    """All has been asked that is asked before sending."""
    NOTICE_SENT = "notice.sent"
    """The channel took it; that is not recorded."""
    NOTICE_RECORDED = "notice.recorded"
    COPYING = "copying"
    """In the middle of a COPY, which no timeout of the server's ends."""
    ACTION_HEARD = "action.heard"
    """A decision is recorded, and not applied."""
    ACTION_WRITTEN = "action.written"
    ACTION_COMMITTED = "action.committed"
    SPOOL_WRITTEN = "spool.written"
    """Entries are on the local disk; nobody has been told."""
    DRAIN_READ = "drain.read"
    """Entries of the spool are read, and on no way into the database."""
    DRAIN_COMMITTED = "drain.committed"
    """They are in the database, and still in the spool."""


class FaultPointError(ValueError):
    """`VARIABLE` names no point, or asks for what is not done at one."""


_armed: dict[Point, tuple[signal.Signals, int]] = {}


def arm(spec: str | None) -> None:
    """Set one point: `POINT=kill:N` or `POINT=freeze:N`, at its N-th passing (1 if left out). None
    or empty: none is set. Raises `FaultPointError`."""
    _armed.clear()
    if not spec:
        return
    said = _SPEC.fullmatch(spec)
    if said is None or said[1] not in set(Point):
        raise FaultPointError(
            f"{VARIABLE} = {spec!r}: expected POINT=kill:N or POINT=freeze:N with POINT one of "
            + ", ".join(Point)
        )
    _armed[Point(said[1])] = _SIGNALS[said[2]], int(said[3] or 1)
    log.warning("a fault point is set: this process will fail on purpose", action=spec)


def armed() -> bool:
    """Whether any point is set: what `passing` needs to know may take work to find out."""
    return bool(_armed)


def passing(point: Point) -> None:
    """This is that point. Where it is set, this call may be the last."""
    if point not in _armed:
        return
    how, left = _armed[point]
    if left > 1:
        _armed[point] = how, left - 1
        return
    del _armed[point]
    log.warning("fault point", action=how.name, point=point.value)
    os.kill(os.getpid(), how)
