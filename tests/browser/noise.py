"""A night in which a desk hears too much: what the server says beside its alarms, put into what the
page is told."""

import asyncio
import json
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import uuid4

from playwright.async_api import Page, Route

from alerts.by_design import flag_of
from alerts.guards import may_remove, may_shelve, permits_tag
from alerts.lifecycle import Event, Verb
from domain.alarms import Alarm, Flag, Kind, OperatorAction, Priority
from domain.cases import Level
from domain.clock import SystemClock
from domain.elapsed import ClockReading, Timer
from domain.inputs import Input
from domain.instant import rfc3339
from tests.browser.watch import Watch

Members = dict[str, Any]


class Noise:
    """Alarms of a `Watch` with notes, flags and sights; `routed` tells the page of them."""

    def __init__(self, watch: Watch) -> None:
        self.watch = watch
        self.said: dict[str, Members] = {}
        self.desks: list[Members] = []
        self.plant = watch.plant

    def say(self, alarm: Alarm, **members: Any) -> Alarm:
        """Members of an alarm as `GET /alarms` has them."""
        self.said.setdefault(str(alarm.id), {}).update(members)
        return alarm

    def note(self, alarm: Alarm, **members: Any) -> Alarm:
        """What stands beside an alarm; everything else is as if there were nothing to say."""
        return self.say(alarm, note=note(**members))

    def flagged(self, alarm: Alarm, flag: str, why: str, minutes: float = 45) -> Alarm:
        """A flag with its reason, for so many minutes more."""
        until = rfc3339(self.watch.ago(-minutes))
        body = {"since": rfc3339(self.watch.ago(5)), "until": until, "by": "li.na"}
        return self.say(
            alarm, flags=[flag], **{flag: body | {"second": "wu.di", "why": why, "rule": ""}}
        )

    def lost(self, children: int = 12) -> tuple[Alarm, list[Alarm]]:
        """A source that fell silent, and its tags under it."""
        watch, tag = self.watch, self.plant.tags[1][0]
        top = watch.silent(self.plant.sources[1], 3)
        found = [
            watch.raise_(tag, Kind.OFFLINE, Priority.P4, 4 + n / 60, float("nan"))
            for n in range(children)
        ]
        self.note(top, suppressed=children)
        for child in found:
            self.note(child, under=str(top.id))
        return top, found

    def lost_gateway(self, tags: int = 5) -> tuple[Alarm, list[Alarm]]:
        """A gateway that fell silent, and a source and tags of another one under it."""
        watch, tag, nothing = self.watch, self.plant.tags[1][0], float("nan")
        top = watch.raise_(tag, Kind.GATEWAY_OFFLINE, Priority.P2, 3, nothing)
        found = [watch.silent(self.plant.sources[1], 3)] + [
            watch.raise_(tag, Kind.OFFLINE, Priority.P4, 4 + n / 60, nothing) for n in range(tags)
        ]
        self.note(top, suppressed=len(found))
        self.say(
            top, text="GW-2: 网关失联 no good sample of any of the 8 tags that this gateway sends"
        )
        for child in found:
            self.note(child, under=str(top.id))
        return top, found

    def flood(self, folded: int = 17) -> tuple[Alarm, list[Alarm]]:
        """A flood of one cause, and two that never fold whatever a note says."""
        watch, (level, gas) = self.watch, self.plant.tags[0]
        first = watch.raise_(level, Kind.L, Priority.P2, 8, 1.2)
        found = [
            watch.raise_(level, Kind.ROC, Priority.P3, 7 - n / 10, 0.4 + n / 10)
            for n in range(folded)
        ]
        self.note(first, first_out=True, uncertain=True)
        for child in found:
            self.note(child, under=str(first.id))
        loud = watch.raise_(gas, Kind.HH, Priority.P1, 5, 52.0)
        self.note(loud, under=str(first.id))
        enterprise = str(self.plant.enterprises[0])
        fold = {"first": str(first.id), "worst": str(loud.id), "count": folded + 1}
        flood = {"since": rfc3339(watch.ago(6)), "heard": folded + 4}
        flood["folds"] = [fold | {"name": "循环水泵停"}]
        self.desks = [
            {"enterprise": enterprise, "name": "华东化工", "flood": flood}
            | {"suppressed": 0, "chattering": 1}
        ]
        return first, found

    async def routed(self, page: Page) -> None:
        """Put all of it into what the server answers."""

        async def alarms(route: Route) -> None:
            answer = await route.fetch()
            body = await answer.json()
            if "items" in body:
                body["items"] = [self._with(one) for one in body["items"]]
            await route.fulfill(response=answer, json=body)

        await page.route("**/api/v1/alarms?*", alarms)
        await page.route("**/api/v1/desks", lambda route: route.fulfill(json=self.desks))

    def _with(self, item: Members) -> Members:
        return item | {"note": None, "seen": []} | self.said.get(item["id"], {})

    async def tell(self, **desk: Any) -> None:
        """An event of the enterprise's desk, on the stream."""
        enterprise = self.plant.enterprises[0]
        id, at = uuid4(), SystemClock().now()
        whole: Members = {
            "enterprise": str(enterprise),
            "flood": None,
            "suppressed": 0,
            "chattering": 0,
        }
        body: Members = {"id": str(id), "type": "desk", "at": rfc3339(at), "node": str(enterprise)}
        body |= {"tag": None, "transition": None, "desk": whole | {"notes": {}} | desk}

        def write() -> None:
            with self.watch.seed.connection() as connection:
                self.watch.seed.append(
                    connection, id, "desk", enterprise, enterprise, json.loads(json.dumps(body)), at
                )

        await asyncio.to_thread(write)


def note(**members: Any) -> Members:
    """A note of the contract."""
    nothing = {"under": None, "suppressed": 0, "first_out": False, "uncertain": False}
    return nothing | {"repeats": 0} | members


class Handler:
    """Does what people decide about alarms, as the worker would, with the guards of the worker."""

    def __init__(self, watch: Watch) -> None:
        self.watch = watch
        self.permits: list[Input] = []
        self.reading = ClockReading(watch.now, 0.0, "boot")

    async def work(self) -> dict[str, Any]:
        """Apply the next decision; what it asked for."""
        while True:
            found = await asyncio.to_thread(self._next)
            if found is not None:
                return found
            await SystemClock().sleep(0.05)

    def _next(self) -> dict[str, Any] | None:
        seed = self.watch.seed
        with seed.connection() as connection:
            row = connection.execute(
                "SELECT id, verb, target, by, comment, level, detail FROM operator_action"
                " WHERE done_at IS NULL ORDER BY requested_at LIMIT 1"
            ).fetchone()
        if row is None:
            return None
        id, verb, target, by, comment, level, detail = row
        at = SystemClock().now()
        result = self._apply(OperatorAction(id, verb, target, by, comment, at, level, detail), at)
        with seed.connection() as connection:
            seed.done(connection, id, result, at)
        return {"verb": verb, "by": by, "comment": comment, "level": level, **detail}

    def _apply(self, action: OperatorAction, at: datetime) -> dict[str, Any]:
        alarm, plant = self.watch.alarms[action.target], self.watch.plant
        until = action.detail.get("until")
        end = datetime.fromisoformat(str(until)) if until else None
        flag = None
        if action.verb == "shelve":
            refused = may_shelve(plant.registry, alarm, action, end, None, at)
            if refused is not None:
                return {"refused": {"status": refused.status, "detail": refused.detail}}
            assert end is not None
            timer = Timer((end - at).total_seconds(), self.reading)
            second = action.detail.get("second")
            flag = Flag(at, end, action.by, action.comment or "", str(second), timer=timer)
        elif action.verb == "remove_from_service":
            tag = plant.registry.tags[alarm.tag or 0]
            permit = next((one for one in self.permits if permits_tag(one, tag)), None)
            refused = may_remove(plant.registry, alarm, action, permit, self.permits, at)
            if refused is not None:
                return {"refused": {"status": refused.status, "detail": refused.detail}}
            assert permit is not None
            second = permit.second or action.detail.get("second")
            flag = replace(flag_of(permit, ClockReading(at, 0.0, "boot")), second=str(second))
        level = None if action.level is None else Level(action.level).name.lower()
        event = Event(Verb(action.verb), by=action.by, flag=flag, level=level)
        self.watch.keep(self.watch.seed.changed(plant, alarm, event, at))
        told = {"from": alarm.state.value, "to": alarm.state.value}
        return {"transition": told | {"at": at.isoformat(), "by": action.by}}
