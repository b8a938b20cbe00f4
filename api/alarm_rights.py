"""Who may do what with an alarm: the enterprise's own desk acts, the desks above it see (domain.md
4.8 rule 8), so that one desk's click never silences another's."""

from collections.abc import Collection

from api.desk import Decision, Standing, settled
from api.problems import EXPLANATIONS, Problem, wrong
from api.second_person import Named, SecondPerson
from domain import policy
from domain.alarms import State
from domain.cases import Level
from domain.frame import Lane
from domain.instant import rfc3339
from storage.actions_api import alarm_path, find_alarm
from storage.reading import Reading, Row
from storage.sessions import Scope

INSTEAD = "mark it as seen 已阅, and sign for its warning case 签收"
NOT_ITS_DESK = "the second person does not speak for the desk whose alarm it is"


class AlarmRights:
    """Refuses what needs no worker to be refused. An alarm of no enterprise belongs to the desk of
    its area: whoever sees it may act, and speaks for that desk."""

    def __init__(self, reading: Reading, second: SecondPerson) -> None:
        self._reading = reading
        self._second = second

    async def acknowledge(self, scope: Scope, decision: Decision) -> Standing:
        """The enterprise's desk acknowledges; who was first is known without the worker."""
        found = await self._found(scope, decision)
        await self._speaks(scope, found, policy.who_may_acknowledge(), "acknowledged 确认")
        return Standing(found["enterprise"], first=settled(found))

    async def reset(self, scope: Scope, decision: Decision) -> Standing:
        """The same desk resets."""
        found = await self._live(scope, decision)
        await self._speaks(scope, found, policy.who_may_acknowledge(), "reset 复位")
        return Standing(found["enterprise"])

    async def silence(
        self, scope: Scope, decision: Decision, named: Named | None = None
    ) -> Standing:
        """Who silences speaks for a level that may; a second person who is named is there and may
        as well. Whether one is needed is the worker's to say: it knows the permit."""
        found = await self._live(scope, decision)
        await self._speaks(scope, found, policy.who_may_shelve(), "silenced")
        second = None if named is None else await self._second.there(scope.person, named)
        if second is not None and not await self._agrees(second, scope, found):
            raise wrong("/second", NOT_ITS_DESK, 403)
        return Standing(found["enterprise"])

    async def see(self, scope: Scope, decision: Decision) -> Standing:
        """See `seeing`."""
        found = await self._live(scope, decision)
        path = await alarm_path(self._reading, found["node"])
        return seeing(scope, found, path, decision.level)

    async def _speaks(self, scope: Scope, found: Row, levels: Collection[str], done: str) -> None:
        if found["enterprise"] in scope.areas:
            return
        if not _holds(await self._levels(scope, found), levels):
            whose = f"This alarm is {done} by the desk of its {' or '.join(levels)} alone"
            raise Problem(403, f"{whose}: {INSTEAD}.")

    async def _agrees(self, second: Scope, first: Scope, found: Row) -> bool:
        if found["enterprise"] in first.areas:
            path = await alarm_path(self._reading, found["node"])
            return second.reaches(found["enterprise"], path)
        return _holds(await self._levels(second, found), policy.who_may_shelve())

    async def _levels(self, scope: Scope, found: Row) -> frozenset[Level]:
        path = await alarm_path(self._reading, found["node"])
        return scope.levels(found["enterprise"], path)

    async def _live(self, scope: Scope, decision: Decision) -> Row:
        found = await self._found(scope, decision)
        if found["lane"] != Lane.LIVE:
            raise Problem(409, "It was found afterwards in stored data; it is closed.")
        return found

    async def _found(self, scope: Scope, decision: Decision) -> Row:
        found = await find_alarm(self._reading, scope, decision.target)
        if found is None:
            raise Problem(404, EXPLANATIONS["not-found"])
        return found


def seeing(scope: Scope, found: Row, path: Collection[int], wanted: Level | None) -> Standing:
    """For which desk above the enterprise a person sees an open alarm; refuses what cannot be done.

    Of several levels the highest counts, unless another one is wanted. path: the alarm's node and
    all above it.
    """
    above = policy.who_may_see()
    held = {one for one in scope.levels(found["enterprise"], path) if _word(one) in above}
    if not held:
        can = "say 已阅 seen: acknowledge it 确认 where it is your enterprise's"
        raise Problem(403, f"Only the desks of {', '.join(above)} {can}.")
    if wanted is not None and wanted not in held:
        told = ", ".join(_word(level) for level in sorted(held))
        raise Problem(403, f"This person speaks for {told}, not for {_word(wanted)}.")
    if found["state"] == State.NORM:
        closed = f" since {rfc3339(found['closed'])}" if found["closed"] else ""
        raise Problem(409, f"It is closed{closed}: 已阅 marks what is open.")
    return Standing(found["enterprise"], max(held) if wanted is None else wanted)


def _holds(held: Collection[Level], wanted: Collection[str]) -> bool:
    return any(_word(level) in wanted for level in held)


def _word(level: Level) -> str:
    return level.name.lower()
