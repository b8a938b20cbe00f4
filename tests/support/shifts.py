"""What a worker makes of one source in an hour: transitions of a case, rungs, notices, risk."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from alerts.case_book import CaseBook
from alerts.case_notices import notices
from alerts.escalation import Escalation
from domain.alarms import Notice, OperatorAction
from domain.cases import Case, CaseTransition, ClockReading, EscalationStep, Level, Outcome, Sight
from domain.escalation import default
from domain.risk import Colour, Floor, Part, Reason, SourceRisk
from tests.support.builders import at
from tests.support.journaling import unique
from tests.support.seed import Plant


def reading(seconds: float, boot: str = "b1") -> ClockReading:
    """What the worker's clock says `seconds` after START."""
    return ClockReading(at(seconds), 1000.0 + seconds, boot)


@dataclass
class Shift:
    """One case of one source. steps: each rung as often as it changed, in order."""

    plant: Plant
    source: int
    book: CaseBook = field(default_factory=CaseBook)
    ladder: Escalation = field(default_factory=lambda: Escalation(default(), reading(0)))
    changes: list[CaseTransition] = field(default_factory=list)
    steps: list[EscalationStep] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)

    @property
    def case(self) -> Case:
        """The case in the end."""
        return self.changes[-1].case

    @property
    def rungs(self) -> list[EscalationStep]:
        """The rungs in the end."""
        newest = {step.no: step for step in self.steps}
        return [newest[no] for no in sorted(newest)]

    def see(self, seconds: float, colour: Colour, *alarms: str) -> None:
        """The risk model says so."""
        source, owner = self.plant.sources[self.source], self.plant.enterprises[self.source]
        sight = Sight(source, owner, colour, at(seconds), alarms=tuple(map(unique, alarms)))
        for change in self.book.see([sight], at(seconds)):
            self._follow(change, seconds)

    def receive(self, seconds: float) -> None:
        """The enterprise signs 签收."""
        self.act(seconds, "receive", Level.ENTERPRISE, "李工", "去现场")

    def act(
        self,
        seconds: float,
        verb: str,
        level: Level,
        by: str,
        comment: str | None = None,
        **detail: object,
    ) -> None:
        """What a person decides, and may."""
        named = unique("sign") if verb == "receive" else unique((verb, by))
        action = OperatorAction(
            named, verb, self.case.id, by, comment, at(seconds), int(level), detail
        )
        done, change = self.book.act(action, level, at(seconds))
        assert change is not None, done.result
        self._follow(change, seconds)

    def loop(self, begin: float) -> None:
        """Handling, feedback, review and closing by two persons, 100 s apart."""
        self.act(begin, "handle", Level.ENTERPRISE, "李工", "带班去现场")
        photo = {"id": str(unique("photo")), "name": "阀.jpg", "type": "image/jpeg"}
        files = [photo | {"size": 3, "sha256": "ab"}]
        told = {"reading": "GD-1 12 ppm", "person": "王班长", "files": files}
        self.act(begin + 100, "feedback", Level.ENTERPRISE, "李工", "阀门已关闭", **told)
        self.act(begin + 200, "review", Level.PARK, "陈", "看过", approve=True)
        for seconds, by in ((300, "陈"), (400, "吴")):
            self.act(begin + seconds, "close", Level.PARK, by, "处置完毕", kind="real")

    def fire(self, seconds: float) -> None:
        """Rungs whose time has come are told."""
        self._changed(self.ladder.fire(reading(seconds)))

    def _follow(self, change: CaseTransition, seconds: float) -> None:
        self.changes.append(change)
        self._changed(self.ladder.follow(change, reading(seconds)))

    def _changed(self, steps: Iterable[EscalationStep]) -> None:
        for step in steps:
            sent, made = step, list[Notice]()
            if step.outcome is Outcome.TOLD:
                sent, made = notices(default(), self.plant.registry, {}, self.case, step)
                self.ladder.mark(sent)
            self.steps.append(sent)
            self.notices += made


def shift(plant: Plant, source: int = 0, until: float = 3600.0) -> Shift:
    """Red at START; signed after 1 min; who waited for others told after 200 s; yellow after half
    an hour, blue after 40 min; then the loop, and after 2900 s the case is closed. until: seconds
    after which nothing happens."""
    done = Shift(plant, source)
    done.see(0, Colour.RED, "gas", "level")
    if until >= 60:
        done.receive(60)
    if until >= 200.25:
        done.fire(200.25)
    if until >= 1800:
        done.see(1800, Colour.YELLOW, "gas")
    if until >= 2400:
        done.see(2400, Colour.BLUE)
    if until >= 2900:
        done.loop(2500)
    return done


def risk(plant: Plant, seconds: float, colour: Colour = Colour.RED) -> SourceRisk:
    """What is told of the first source."""
    return SourceRisk(
        plant.sources[0],
        plant.enterprises[0],
        at(seconds),
        colour,
        False,
        87.65,
        True,
        ((Floor.F1, Colour.RED), (Floor.LOSS, Colour.YELLOW)),
        (Reason(Part.B, 15.0), Reason(Part.A, 87.0, unique("gas")), Reason(None, -14.35)),
        "2026-1",
    )
