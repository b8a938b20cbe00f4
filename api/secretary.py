"""The secretary: checks what people state of a plant before it is written down."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from api.problems import Problem, wrong
from api.schemas import number_of
from api.second_person import Named, SecondPerson
from api.statements import Said
from domain import input_rules
from domain.cases import Level
from domain.circumstances import circumstances
from domain.inputs import Input, InputKind
from domain.instant import EPOCH, rfc3339
from domain.site import TagEntry
from storage.inputs_api import input_place, input_tag, open_permits, zone_tags
from storage.reading import Reading, Row
from storage.sessions import Scope

OF = {
    InputKind.COMMITMENT: ("enterprise", "source"),
    InputKind.DUTY: ("source",),
    InputKind.HIDDEN_HAZARD: ("source", "equipment"),
    InputKind.SPECIAL_WORK: ("source", "equipment"),
    InputKind.MODE: ("source", "equipment"),
    InputKind.PERMIT: ("source",),
    InputKind.MANUAL: ("source", "equipment"),
    InputKind.COLOUR_SET: ("source",),
    InputKind.OFFLINE_REPORT: ("enterprise", "source"),
}
"""Kinds of nodes that each kind of fact is said of."""
TO_COME = (InputKind.PERMIT, InputKind.MODE, InputKind.SPECIAL_WORK, InputKind.OFFLINE_REPORT)
"""Facts that are of no use once they have ended."""
TWO_PEOPLE = (InputKind.MODE, InputKind.OFFLINE_REPORT)


@dataclass(frozen=True, slots=True)
class Subject:
    """What a fact is said of. place: the row of its node; tag: the row of the tag."""

    place: Row
    tag: Row | None


class Secretary:
    """Turns a statement into an `Input`, or raises the problem that says what is allowed."""

    def __init__(self, reading: Reading, second: SecondPerson) -> None:
        self._reading = reading
        self._second = second

    async def heard(self, scope: Scope, said: Said, id: UUID, at: datetime, address: str) -> Input:
        """The fact as it will be recorded. address: where it comes from."""
        kind = InputKind(said.kind)
        subject = await self._subject(scope, kind, said)
        since = said.since or at
        self._span(kind, said, since, at)
        value = said.value.model_dump(mode="json", exclude_none=True)
        if await self._permitted(scope, said, subject, at):
            value[input_rules.LAST_IN_ZONE] = True
        self._officer(scope, kind, subject)
        await self._agreed(scope, kind, said, subject, address)
        return Input(
            id,
            kind,
            int(subject.place["enterprise"]),
            int(subject.place["id"]),
            None if subject.tag is None else int(subject.tag["id"]),
            since,
            said.until,
            value,
            scope.person,
            at,
            said.second,
        )

    async def _subject(self, scope: Scope, kind: InputKind, said: Said) -> Subject:
        tag = None
        node = number_of(said.node)
        if said.tag is not None:
            if kind is not InputKind.PERMIT:
                raise wrong("/tag", f"a {kind} is said of a node; allowed: node")
            tag = await input_tag(self._reading, scope, number_of(said.tag) or -1)
            if tag is None:
                raise wrong("/tag", f"there is no tag {said.tag} that this person may see")
            node = int(tag["source"])
        if node is None:
            either = "tag, or node with value.zone" if kind is InputKind.PERMIT else "node"
            raise wrong("/node", f"is missing; a {kind} needs {either}")
        place = await input_place(self._reading, scope, node)
        if place is None:
            raise wrong("/node", f"there is no node {said.node} that this person may see")
        if place["kind"] not in OF[kind]:
            allowed = " or ".join(OF[kind])
            raise wrong("/node", f"is of kind {place['kind']}; a {kind} is said of: {allowed}")
        return Subject(place, tag)

    def _span(self, kind: InputKind, said: Said, since: datetime, at: datetime) -> None:
        until = said.until
        if until is None:
            return
        if until <= since:
            raise wrong("/until", f"must be later than since, {rfc3339(since)}")
        if kind in TO_COME and until <= at:
            raise wrong("/until", f"must be later than now, {rfc3339(at)}")
        work = said.value.work if said.kind == "permit" else ""
        longest = input_rules.longest(kind, work)
        if longest is not None and until - max(since, at) > longest:
            what = " ".join(word for word in (work, str(kind)) if word)
            raise wrong("/until", f"a {what} may last {_long(longest)} at most")

    async def _permitted(self, scope: Scope, said: Said, subject: Subject, at: datetime) -> bool:
        """Whether the park approves with it that the last detector of a zone goes."""
        if said.kind != "permit":
            return False
        zone = said.value.zone
        if subject.tag is None:
            if zone is None:
                raise wrong("/value/zone", "is missing; a permit needs tag, or node with a zone")
            if said.value.work == input_rules.CALIBRATION:
                raise wrong("/tag", "is missing; one detector is calibrated at a time")
            if not await zone_tags(self._reading, int(subject.place["id"]), zone):
                raise wrong("/value/zone", f"no tag of this source stands in zone {zone}")
        elif zone is not None:
            raise wrong("/value/zone", "goes with node; of a tag it is known")
        elif subject.tag["kind"] in input_rules.DETECTORS:
            return await self._detector(scope, said.value.work, subject, at)
        return False

    async def _detector(self, scope: Scope, work: str, subject: Subject, at: datetime) -> bool:
        """Not too many detectors of a zone at one time, and never unwittingly the last: true where
        it is. The only one of a zone may be calibrated by the enterprise."""
        assert subject.tag is not None, "a detector is a tag"
        zone: Sequence[int] = subject.tag["zone"]
        others = [
            row for row in await open_permits(self._reading, zone, at)
            if row["tag"] != subject.tag["id"]
        ]  # fmt: skip
        if work == input_rules.CALIBRATION:
            most = input_rules.together(len(zone))
            busy = {row["tag"] for row in others if row["work"] == input_rules.CALIBRATION}
            if len(busy) >= most:
                detail = (
                    f"of the {len(zone)} detectors of its zone {most} may be calibrated at once"
                )
                raise Problem(409, f"{detail}; wait until the other permit has ended.")
        last = len({row["tag"] for row in others}) + 1 >= len(zone)
        if not last or (work == input_rules.CALIBRATION and len(zone) == 1):
            return False
        if not _overseer(scope, subject.place):
            raise Problem(403, "It is the last detector of its zone in service: a person of the "
                          "park or above has to take it out.")  # fmt: skip
        return True

    async def _agreed(
        self, scope: Scope, kind: InputKind, said: Said, subject: Subject, address: str
    ) -> None:
        """The second person is there, and may see what the fact is said of."""
        needed = kind in TWO_PEOPLE or (kind is InputKind.PERMIT and _takes_two(subject.tag))
        if said.second is None and needed:
            raise wrong("/second", "is missing; this needs a second person, with their password")
        named = Named(said.second, said.second_password, address)
        second = await self._second.there(scope.person, named)
        place = subject.place
        if second is not None and not second.reaches(int(place["enterprise"]), place["path"]):
            raise wrong("/second", "the second person may not see what it is said of", 403)

    def _officer(self, scope: Scope, kind: InputKind, subject: Subject) -> None:
        if kind is InputKind.COLOUR_SET and not _overseer(scope, subject.place):
            raise Problem(403, "A colour is set by a person of the park or above.")


def may_revoke(scope: Scope, place: Row, fact: Row) -> None:
    """Raises the problem that says why somebody may not take a fact back."""
    kind, own = InputKind(fact["kind"]), fact["who"] == scope.person
    if kind is InputKind.COLOUR_SET:
        if own:
            raise Problem(403, "Another officer than the one who set the colour takes it back.")
        if not _overseer(scope, place):
            raise Problem(403, "A set colour is taken back by a person of the park or above.")
    raised = kind in (InputKind.MANUAL, InputKind.HIDDEN_HAZARD)
    if raised and not own and not _overseer(scope, place):
        raise Problem(403, "What somebody else reported, a person of the park or above ends.")


def _overseer(scope: Scope, place: Row) -> bool:
    """Whether a person speaks for the park or above, or the fire brigade, at a place."""
    held = scope.levels(int(place["enterprise"]), place["path"])
    return any(level >= Level.PARK for level in held)


def _takes_two(row: Row | None) -> bool:
    """Permits of zones, and of tags that can have an alarm which two have to quieten."""
    if row is None:
        return True
    entry = TagEntry.model_validate(row["spec"], strict=False)
    where = circumstances(row["grade"], row["vessel"])
    return input_rules.has_alarm_for_two(
        entry.tag(row["id"], 1, row["enterprise"], row["source"], EPOCH, where)
    )


def _long(span: timedelta) -> str:
    minutes = round(span.total_seconds() / 60)
    return f"{minutes} min" if minutes < 24 * 60 else f"{minutes // (24 * 60)} d"
