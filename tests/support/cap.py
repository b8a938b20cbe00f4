"""CAP messages for tests: chains by hand, and the rules of the standard."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from uuid import UUID
from xml.etree import ElementTree as ET

import xmlschema

from domain.alarms import Kind
from domain.cap import Chain, Step
from domain.cap_area import Place
from domain.cap_signs import Sign
from domain.plant import TagKind
from domain.risk import Colour
from tests.support.builders import START

CASE = UUID("6639f4c7-05c6-5e3d-b171-5f716fe3da65")
CAP = "{urn:oasis:names:tc:emergency:cap:1.2}"
PLACE = Place(
    "s1",
    "液氨罐区",
    "华东化工",
    (("620000", "甘肃省"), ("620702", "甘州区"), ("p1", "临港化工园")),
    1,
    (100.25, 38.5),
)


@cache
def schema() -> xmlschema.XMLSchema:
    """The rules of CAP 1.2."""
    return xmlschema.XMLSchema(Path(__file__).with_name("cap-1.2.xsd"))


def checked(body: bytes) -> ET.Element:
    """The root of a document that keeps the rules; raises `XMLSchemaValidationError`."""
    root = ET.fromstring(body)
    schema().validate(root)
    return root


def words(root: ET.Element, path: str) -> list[str]:
    """Texts of all elements on a path such as info/event."""
    return [one.text or "" for one in found(root, path)]


def found(root: ET.Element, path: str) -> list[ET.Element]:
    """All elements on a path such as info/event."""
    return root.findall("/".join(CAP + name for name in path.split("/")))


def named(root: ET.Element, path: str) -> dict[str, str]:
    """valueName → value of the pairs on a path, of the first info block."""
    pairs = found(found(root, "info")[0], path)
    return {words(pair, "valueName")[0]: words(pair, "value")[0] for pair in pairs}


def sign(
    number: int = 1,
    kind: Kind = Kind.HH,
    tag_kind: TagKind | None = TagKind.GAS_TOXIC,
    subject: str = "GD07",
    gas: tuple[str, str] | None = ("氨", "ammonia"),
    *,
    reactor: bool = False,
) -> Sign:
    """An occurrence that began a second before the case."""
    onset = START - timedelta(seconds=1)
    return Sign(UUID(int=number), kind, onset, subject, tag_kind, gas, reactor)


def chain(
    colours: Sequence[Colour],
    signs: Sequence[Sign] = (),
    *,
    place: Place = PLACE,
    closed: bool = False,
    at: datetime = START,
    score: float | None = 66.54,
    kind: str | None = None,
    drill: bool = False,
) -> Chain:
    """A case that had these colours one after the other, a minute each; n counts by twos."""
    ids = tuple(one.id for one in signs)
    steps, before = [], Colour.BLUE
    for k, colour in enumerate(colours):
        ends = closed and k == len(colours) - 1
        moment = at + timedelta(minutes=k)
        model = "" if score is None else "2026-1"
        steps.append(
            Step(1 + 2 * k, moment, before, colour, ends, False, ids, score, model, kind, drill)
        )
        before = colour
    return Chain(CASE, at, place, tuple(steps), {one.id: one for one in signs})
