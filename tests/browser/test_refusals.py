"""Why something is refused, in the words of the reader; those who refuse give the sentences."""

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from playwright.async_api import Browser, Route, expect

from alerts.case_book import CaseBook
from alerts.guards import may_remove, may_shelve
from api.alarm_rights import NOT_ITS_DESK
from api.desk import settled, spoken
from api.problems import Problem, wrong
from api.second_person import SILENT, WRONG
from domain.alarms import Alarm, Kind, OperatorAction, Priority, State
from domain.cases import Level, Sight
from domain.frame import Lane
from domain.inputs import Input, InputKind
from domain.plant import Registry, Tag, TagKind
from domain.risk import Colour
from storage.sessions import Scope
from tests.browser.desk import SCREENSHOTS, log_in, opened
from tests.browser.watch import Watch, card
from tests.support.api import listening_api
from tests.support.builders import START

pytestmark = pytest.mark.browser
TELL = (
    "async told => { const page = await import('/js/refusals.js'); return told.map(page.refusal); }"
)


def by_the_worker() -> list[Any]:
    """What the case book says to releases that it refuses."""
    found = []
    for colour, level, held in (
        (Colour.RED, Level.CITY, None),
        (Colour.ORANGE, Level.PARK, None),
        *((Colour.RED, Level.PARK, why) for why in ("floor", "score", "unknown", "not red")),
    ):
        book, case = _opened(colour)
        for verb in ("receive", "handle", "feedback"):
            book.act(_action(case, verb, comment=verb), Level.PARK, START)
        done, _ = book.act(_action(case, "release"), level, START, held)
        found.append(done.result["refused"])
    for colour, level in ((Colour.RED, Level.FIRE), (Colour.ORANGE, Level.PARK)):
        book, case = _opened(colour)
        done, _ = book.act(_action(case, "verify"), level, START)
        found.append(done.result["refused"])
    done, _ = CaseBook().act(_action(uuid4(), "receive"), Level.PARK, START)
    return [*found, done.result["refused"], *_in_the_loop(), *_of_alarms()]


def _of_alarms() -> list[Any]:
    """What its guards say to those who silence an alarm, and to the one who sees it too late."""
    plain = Tag(3, 1, 2, 1, "LI-101", TagKind.LEVEL, "m", START)
    gas = replace(plain, id=4, name="GD-07", kind=TagKind.GAS_TOXIC)
    nothing = float("nan")

    def alarm(tag: Tag | None, priority: Priority = Priority.P3, times: int = 0) -> Alarm:
        id = None if tag is None else tag.id
        numbers = (START, START, nothing, nothing, nothing)
        lane, state = Lane.LIVE, State.UNACK
        made = Alarm(uuid4(), lane, Kind.H, id, 1, 2, priority, state, *numbers)
        return replace(made, shelves=(START,) * times)

    registry = Registry(1, {}, (), {tag.id: tag for tag in (plain, gas)})

    def shelved(of: Alarm, hours: float = 0.2, colour: Any = None, **said: Any) -> Any:
        until = START + timedelta(hours=hours) if hours else None
        return may_shelve(registry, of, _action(of, "shelve", **said), until, colour, START)

    def removed(of: Alarm, permit: Input | None, **said: Any) -> Any:
        action = _action(of, "remove_from_service", **said)
        return may_remove(registry, of, action, permit, [permit] if permit else [], START)

    end = START + timedelta(hours=4)
    permit = Input(uuid4(), InputKind.PERMIT, 2, 1, 3, START, end, {}, "li.na", START)
    found = [
        shelved(alarm(plain), 0),
        shelved(alarm(plain, Priority.P1)),
        shelved(alarm(plain), 9),
        shelved(alarm(gas), colour=Colour.ORANGE),
        shelved(alarm(gas)),
        shelved(alarm(gas), second="li.na"),
        shelved(alarm(plain, times=3)),
        removed(alarm(None), permit),
        removed(alarm(plain), None),
        removed(alarm(plain), replace(permit, until=None)),
        removed(alarm(plain), replace(permit, value={"work": "calibration"})),
        removed(alarm(plain, Priority.P2), permit),
        removed(alarm(gas), replace(permit, tag=4), second="wu.di"),
    ]
    assert None not in found
    closed = "it is closed: shelve its next occurrence"
    under = "it is closed: its next occurrence begins under the permit"
    return [{"detail": text} for text in (*(one.detail for one in found), closed, under)]


def _in_the_loop() -> list[Any]:
    """What it says to those who come too soon, say nothing, or may not."""
    book, case = _opened(Colour.RED)
    found = []

    def said(verb: str, comment: str | None = None, level: Level = Level.PARK, **more: Any) -> None:
        done, _ = book.act(_action(case, verb, comment=comment, **more), level, START)
        if "refused" in done.result:
            found.append(done.result["refused"])

    said("handle", "early")
    said("receive")
    said("feedback", "early")
    said("handle", "on the way")
    said("close", kind="real")
    said("feedback", "")
    said("feedback", "valve shut")
    said("feedback", "valve shut")
    said("handle", "again")
    said("close", kind="real")
    said("review", approve=True)
    said("review", by="chen", approve=False)
    said("review", level=Level.FIRE, approve=True)
    said("review", by="chen", approve=True)
    said("close", kind="real")
    book.see([Sight(1, 2, Colour.BLUE, START)], START)
    said("close", kind="false_alarm")
    assert len(found) == 12
    return found


def _opened(colour: Colour) -> tuple[CaseBook, UUID]:
    book = CaseBook()
    [*_, seen] = book.see([Sight(1, 2, colour, START)], START)
    return book, seen.case.id


def _action(
    case: Any, verb: str, by: str = "li.na", comment: str | None = None, **detail: Any
) -> OperatorAction:
    return OperatorAction(uuid4(), verb, case, by, comment, START, None, detail)


def by_the_api() -> list[Any]:
    """What the api says to those who may not, or come too late."""
    case = {"enterprise": 2, "path": [1, 2, 3], "closed": START}
    nobody, park = _scope(), _scope({"role": "operator", "node": "3", "kind": "park"})
    refused = (
        lambda: spoken(nobody, case, None),
        lambda: spoken(park, case, Level.COUNTY),
        lambda: spoken(park, case, None),
        lambda: spoken(park, None, None),
        lambda: settled({"lane": Lane.REPLAY}),
    )
    found = []
    for ask in refused:
        with pytest.raises(Problem) as problem:
            ask()
        found.append({"type": f"/problems/{problem.value.slug}", "detail": problem.value.detail})
    second = wrong("/second", WRONG), wrong("/second", NOT_ITS_DESK)
    silent = wrong("/second_password", SILENT)
    return [*found, *({"detail": one.detail} for one in (*second, silent))]


def _scope(*roles: dict[str, str]) -> Scope:
    return Scope("li", START, roles, (2,), (), (), operator=True)


async def test_every_refusal_is_told_in_the_language_of_the_reader(
    browser: Browser, watch: Watch, timescale_url: str
):
    told = [*by_the_worker(), *by_the_api()]
    async with listening_api(timescale_url) as base:
        async with opened(browser, base) as page:
            chinese = await page.evaluate(TELL, told)
            unknown = {"detail": "never heard of", "type": "/problems/conflict"}
            assert await page.evaluate(TELL, [unknown]) == ["never heard of"]
        async with opened(browser, base, locale="en") as page:
            english = await page.evaluate(TELL, told)
    assert [text for text in chinese if re.search("[a-z]", text)] == []
    assert [text for text in english if not text.isascii()] == []
    assert len(set(chinese)) == len(set(english)) == len(told)


async def test_the_question_says_why_red_is_not_released(
    browser: Browser, watch: Watch, timescale_url: str
):
    red = await watch.trouble()
    await watch.cases.sign(red, Level.PARK, "wang.fang", watch.now)
    await watch.cases.reviewed(red, watch.now)
    async with listening_api(timescale_url) as base, opened(browser, base) as page:
        await page.route("**/release", refuse)
        await log_in(page)
        await card(page, red).locator("button", has_text="解除红色").click()
        await page.keyboard.press("Enter")
        await expect(page.locator("#ask-trouble")).to_have_text("红色条件仍在：底线规则仍成立")
        await page.screenshot(path=SCREENSHOTS / "refused.zh.png")


async def refuse(route: Route) -> None:
    """As the worker does where a floor still asks for red."""
    await route.fulfill(status=409, json={"detail": "red still holds: floor"})
