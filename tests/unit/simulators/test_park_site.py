"""The demonstration's site file: what it holds, its grades, and that the park sends its tags."""

from decimal import Decimal

import pytest

from domain.alarms import Kind
from domain.plant import TagKind
from domain.policy import DIGITAL
from domain.site import Enterprise, Source
from simulators.park import ADDRESSES
from simulators.park_readings import values
from tests.support.park import SITE, registry_of

REGISTRY = registry_of(SITE)
SOURCES = [(one, source) for one in SITE.enterprises for source in one.sources]

CRITICAL = {
    "7664-41-7": (10, "2"),
    "7782-50-5": (5, "4"),
    "75-21-8": (10, "2"),
    "67-56-1": (500, "1"),
    "71-43-2": (50, "1"),
    "108-88-3": (500, "1"),
    "115-10-6": (50, "1.5"),
    "1333-74-0": (5, "1.5"),
    "74-82-8": (50, "1.5"),
    "75-01-4": (50, "1.5"),
    "67-64-1": (500, "1"),
    "64-17-5": (500, "1"),
    "107-13-1": (50, "1"),
    None: (50, "1"),
}
"""CAS → Q in t and β (domain research 1.4 to 1.6); without a CAS: organic peroxides, W7.2."""
ALPHA = ((100, "2.0"), (50, "1.5"), (30, "1.2"), (1, "1.0"), (0, "0.5"))
GRADES = ((100, 1), (50, 2), (10, 3), (0, 4))
UNSETTLED = {"an"}
"""Sources of which the domain research leaves β open."""


def grade_of(enterprise: Enterprise, source: Source) -> int | None:
    """The grade of GB 18218 (domain research 1.2), exactly; None for no major hazard source."""
    total = risk = Decimal(0)
    for substance in source.substances:
        critical, beta = CRITICAL[substance.cas]
        share = Decimal(str(substance.design_t)) / critical
        total += share
        risk += Decimal(beta) * share
    people = enterprise.population_500m or 0
    risk *= next(Decimal(alpha) for least, alpha in ALPHA if people >= least)
    return next(grade for least, grade in GRADES if risk >= least) if total >= 1 else None


@pytest.mark.parametrize(
    ("enterprise", "source"),
    [pair for pair in SOURCES if pair[1].code not in UNSETTLED],
    ids=lambda one: one.code,
)
def test_every_grade_follows_from_the_substances_and_the_people_nearby(enterprise, source):
    assert source.grade == grade_of(enterprise, source)


def test_a_source_without_a_grade_says_so_in_its_name():
    assert {source.code for _, source in SOURCES if source.grade is None} == {"an", "acn"}
    assert all(("（" in source.name) == (source.grade is None) for _, source in SOURCES)


def test_there_are_sources_of_every_grade():
    assert {source.grade for _, source in SOURCES} == {1, 2, 3, 4, None}


def test_above_the_park_stand_county_city_and_province():
    kinds, level = [], SITE.tree
    while level:
        kinds += [area.kind for area in level]
        level = tuple(child for area in level for child in area.children)
    assert kinds == ["province", "city", "county", "park"]


def test_every_gateway_sends_tags_of_its_enterprise_and_together_they_send_all():
    sent = {address: set(values(address, 0.0, 1)) for address in ADDRESSES}
    for enterprise in SITE.enterprises:
        own = [sent[a] for a in ADDRESSES if a.enterprise == enterprise.code]
        assert [a.gateway for a in ADDRESSES if a.enterprise == enterprise.code] == list(
            enterprise.gateways
        )
        assert sum(map(len, own)) == len(set().union(*own)), "no tag comes twice"
        assert set().union(*own) == {t.name for s in enterprise.sources for t in s.tags}


def test_it_is_a_park_worth_watching():
    tags = list(REGISTRY.tags.values())
    assert len(tags) >= 400
    assert len(SOURCES) >= 12
    assert len(SITE.enterprises) >= 4
    assert {tag.kind for tag in tags} == set(TagKind)
    assert {tag.interval_s for tag in tags} == {1.0}
    assert sum(len(source.groups) for _, source in SOURCES) >= 12


def test_states_are_sent_as_bools_and_quantities_as_numbers():
    sent = {name: x for address in ADDRESSES for name, x in values(address, 10.0, 1).items()}
    for tag in REGISTRY.tags.values():
        digital = tag.kind in DIGITAL and tag.kind is not TagKind.UTILITY
        assert isinstance(sent[tag.name], bool if digital else float), tag.name


def test_gas_alarms_at_no_higher_set_points_than_the_standard_allows():
    # domain research 2.3: 100 and 200 % OEL; 25 and 50 %LEL
    allowed = {"%LEL": {(25, 50)}, "mg/m3": {(1, 2)}}
    toxic = {(28.7, 57.4), (0.34, 0.69), (1.9, 3.8), (3.9, 7.8)}
    for tag in REGISTRY.tags.values():
        if tag.kind in (TagKind.GAS_TOXIC, TagKind.GAS_COMBUSTIBLE):
            points = (tag.limits[Kind.H], tag.limits[Kind.HH])
            assert points in allowed.get(tag.unit, toxic), tag.name


def test_everything_lies_within_its_enterprise():
    for enterprise in SITE.enterprises:
        assert enterprise.boundary is not None
        west, south = map(min, zip(*enterprise.boundary, strict=True))
        east, north = map(max, zip(*enterprise.boundary, strict=True))
        places = [source.position for source in enterprise.sources]
        places += [tag.position for source in enterprise.sources for tag in source.tags]
        placed = [position for position in places if position is not None]
        assert len(placed) > len(enterprise.sources)
        assert all(west < lon < east and south < lat < north for lon, lat in placed)
