"""CAP 1.2 messages (OASIS Common Alerting Protocol) of a warning case: nouns, and a chain from its
journal. Pure: the same journal makes the same messages at any time.

| transition of the case           | msgType | references                |
|----------------------------------|---------|---------------------------|
| the source leaves blue           | Alert   | none                      |
| its colour changes, blue as well | Update  | all messages of the chain |
| the case is closed 销警          | Cancel  | all messages of the chain |

Mapping of the elements: domain.md 6.2. `domain.cap_xml` writes them down.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo
from typing import Literal
from uuid import UUID

from domain.cap_area import Area, Place, area
from domain.cap_signs import Hazard, Sign, certainty, hazard, urgency
from domain.cap_words import MEANING, description, headline
from domain.risk import Colour

MsgType = Literal["Alert", "Update", "Cancel"]
Status = Literal["Actual", "Exercise", "System", "Test", "Draft"]
Scope = Literal["Restricted", "Private"]
SEVERITY = {
    Colour.RED: "Extreme",
    Colour.ORANGE: "Severe",
    Colour.YELLOW: "Moderate",
    Colour.BLUE: "Minor",
}
"""domain.md 6.2 [P]."""
LANGUAGES: tuple[Literal["zh-CN", "en"], ...] = ("zh-CN", "en")
EVENT_CODE = "hazwatch"
"""valueName of our own event codes."""


@dataclass(frozen=True, slots=True)
class Issuer:
    """Sender of messages, and the zone of their times, from `since` on."""

    since: datetime
    sender: str
    zone: tzinfo


@dataclass(frozen=True, slots=True)
class CapOptions:
    """What a jurisdiction decides. sender: unique, without blanks, commas, < and &. restriction:
    whom a Restricted message is for; addresses: to whom a Private one goes, blanks between them.
    radius_m: of the circle around a source where no boundary is known. zone: in which times are
    written. issuers: in order; where there are any, a message keeps the sender and the zone with
    which it was issued, whatever they are now."""

    sender: str = "hazwatch"
    status: Status = "Actual"
    scope: Scope = "Restricted"
    restriction: str = "应急管理部门及相关企业 emergency management and the enterprises concerned"
    addresses: str = ""
    radius_m: float = 500.0
    zone: tzinfo = UTC
    issuers: tuple[Issuer, ...] = ()

    def at(self, at: datetime) -> "CapOptions":
        """Those of a message of that instant; before the first issuer, its own."""
        if not self.issuers:
            return self
        until = [one for one in self.issuers if one.since <= at]
        issuer = until[-1] if until else self.issuers[0]
        return replace(self, sender=issuer.sender, zone=issuer.zone)


@dataclass(frozen=True, slots=True)
class Step:
    """A transition of a case that is a message: its number and time, the colours around it.

    alarms: the occurrences behind it so far. score, model: D and the version of the risk model,
    None and "" where the journal of an earlier release does not tell. kind: 销警类型.
    """

    n: int
    at: datetime
    before: Colour
    colour: Colour
    closed: bool = False
    unknown: bool = False
    alarms: tuple[UUID, ...] = ()
    score: float | None = None
    model: str = ""
    kind: str | None = None
    drill: bool = False


@dataclass(frozen=True, slots=True)
class Chain:
    """A case as CAP sees it: steps in order of n, the first of them its opening; signs by id of the
    occurrence; place as it was when the case was opened."""

    case: UUID
    opened: datetime
    place: Place
    steps: tuple[Step, ...]
    signs: Mapping[UUID, Sign]


@dataclass(frozen=True, slots=True)
class Info:
    """An `info` block in one language."""

    language: str
    hazard: Hazard
    event: str
    urgency: str
    severity: str
    certainty: str
    onset: str
    headline: str
    description: str
    instruction: str
    parameters: tuple[tuple[str, str], ...]
    area: Area


@dataclass(frozen=True, slots=True)
class Message:
    """An `alert`. sent: the text of the element; at: the instant, exactly. references: oldest
    first, each `sender,identifier,sent`. incident: the case."""

    identifier: str
    sender: str
    sent: str
    at: datetime
    status: Status
    msg_type: MsgType
    scope: Scope
    audience: str
    references: tuple[str, ...]
    incident: str
    colour: Colour
    infos: tuple[Info, ...]


def identifier(case: UUID, n: int) -> str:
    """Of the message that the n-th transition of a case is."""
    return f"{case}.{n}"


def parse_identifier(text: str) -> tuple[UUID, int] | None:
    """Case and number of a transition; None where a text is no identifier of ours."""
    case, _, n = text.partition(".")
    try:
        found = UUID(case), int(n)
    except ValueError:
        return None
    return found if identifier(*found) == text and 0 <= found[1] < 2**31 else None


def cap_time(at: datetime, zone: tzinfo) -> str:
    """As CAP wants it: whole seconds, a numeric zone, never Z; UTC is -00:00."""
    text = at.astimezone(zone).replace(microsecond=0).isoformat()
    return text[:-6] + "-00:00" if text.endswith("+00:00") else text


def messages(chain: Chain, options: CapOptions) -> Iterator[Message]:
    """The messages of a case, in order."""
    earlier: tuple[str, ...] = ()
    score: tuple[float | None, str] = (None, "")
    for step in chain.steps:
        if step.score is not None:
            score = step.score, step.model
        known = replace(step, score=score[0], model=score[1])
        made = _message(chain, known, not earlier, earlier, options.at(step.at))
        yield made
        earlier = (*earlier, f"{made.sender},{made.identifier},{made.sent}")


def _message(
    chain: Chain, step: Step, first: bool, earlier: tuple[str, ...], options: CapOptions
) -> Message:
    msg_type: MsgType = "Cancel" if step.closed else "Alert" if first else "Update"
    restricted = options.scope == "Restricted"
    return Message(
        identifier(chain.case, step.n),
        options.sender,
        cap_time(step.at, options.zone),
        step.at,
        "Exercise" if step.drill else options.status,
        msg_type,
        options.scope,
        options.restriction if restricted else options.addresses,
        earlier,
        str(chain.case),
        step.colour,
        tuple(_info(chain, step, language, options) for language in LANGUAGES),
    )


def _info(chain: Chain, step: Step, language: Literal["zh-CN", "en"], options: CapOptions) -> Info:
    signs = [chain.signs[id] for id in step.alarms if id in chain.signs]
    signs.sort(key=lambda sign: (sign.onset, sign.id))
    found = hazard(signs)
    chinese = language == "zh-CN"
    event = found.chinese if chinese else found.english
    opened = cap_time(chain.opened, options.zone)
    told = [(sign, cap_time(sign.onset, options.zone)) for sign in signs]
    return Info(
        language,
        found,
        event,
        urgency(signs, step.colour, closed=step.closed),
        SEVERITY[step.colour],
        certainty(signs),
        opened,
        headline(chain.place, step.colour, event, closed=step.closed, chinese=chinese),
        description(
            chain.place, step.colour, opened, step.score, told, unknown=step.unknown,
            chinese=chinese,
        ),
        "" if step.closed else MEANING[step.colour][not chinese],
        tuple(_parameters(chain, step)),
        area(chain.place, options.radius_m),
    )  # fmt: skip


def _parameters(chain: Chain, step: Step) -> Iterator[tuple[str, str]]:
    yield "colour", step.colour.name.lower()
    if step.score is not None:
        yield "score", f"{step.score:.1f}"
    if step.model:
        yield "model_version", step.model
    yield "hazard_source_code", chain.place.source_code
    if chain.place.grade is not None:
        yield "grade", str(chain.place.grade)
    yield "warning_id", str(chain.case)
    yield "unknown", "true" if step.unknown else "false"
    if step.closed and step.kind is not None:
        yield "closing", step.kind
