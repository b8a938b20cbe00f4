"""What contradicts itself in the vessels of a site is told with what is allowed."""

import pytest

from domain.problem import DocumentError
from domain.site import read_site
from hazwatch.shipped import site_file

SITE = """
version: 1
tree: [{{code: c, kind: county, name: C, children: [{{code: p, kind: park, name: P}}]}}]
enterprises:
  - code: e
    park: p
    name: E
    gateways: [g]
    sources:
      - code: s
        kind: storage
        name: S
        substances: [{{name: methanol, cas: 67-56-1}}, {{name: benzene, cas: 71-43-2}}]
        equipment:
          - {{code: V-1, kind: atmospheric_tank, {vessel}}}
        tags:
          - {{name: LT-1, equipment: V-1, kind: level, unit: m}}
          - {{name: TT-1, equipment: V-1, kind: temperature, unit: °C}}
          - {{name: FT-1, equipment: V-1, kind: flow, unit: m3/h, range: [0, 100]}}
          - {{name: FT-2, equipment: V-1, kind: flow, unit: m3/h}}
          - {{name: FT-3, equipment: V-1, kind: flow, unit: "%", range: [0, 100]}}
          - {{name: FT-4, equipment: V-1, kind: flow, unit: t/h, range: [0, 100]}}
"""
UPRIGHT = "shape: vertical_cylinder, diameter_m: 10, height_m: 12, substance: methanol"


def problems(vessel: str) -> list[str]:
    try:
        read_site(SITE.format(vessel=vessel))
    except DocumentError as error:
        return [f"{one.path.split('equipment[0]')[-1]} {one.text}" for one in error.problems]
    return []


@pytest.mark.parametrize(
    "vessel",
    [
        "volume_m3: 900",
        UPRIGHT,
        UPRIGHT + ", volume_m3: 980, flows: {in: [FT-1]}, density_t_m3: 0.8",
        UPRIGHT + ", density_t_m3: 0.8, flows: {in: [FT-1], out: [FT-4], span_pct: 1}",
        "shape: table, table: [[0, 0], [1, 10]], substance: 71-43-2",
        "shape: horizontal_cylinder, diameter_m: 3, length_m: 9, heads: torispherical",
        "volume_m3: 9, density_t_m3: 0.8, density_per_k: -0.001, temperature_tag: TT-1",
    ],
)
def test_what_fits_together_is_taken(vessel: str):
    assert problems(vessel) == []


@pytest.mark.parametrize(
    ("vessel", "words"),
    [
        (UPRIGHT + ", volume_m3: 1000", ("volume_m3", "contradicts", "942.478", "allowed")),
        ("shape: sphere", ("diameter_m", "is missing; a sphere needs diameter_m")),
        ("diameter_m: 3", ("diameter_m", "no shape is given; allowed: with vertical_cylinder")),
        ("shape: sphere, diameter_m: 3, length_m: 2", ("length_m", "horizontal_cylinder")),
        (UPRIGHT + ", bottom: cone", ("bottom_m", "a cone or dish needs bottom_m")),
        ("shape: table, table: [[0, 0], [0, 1]]", ("table", "level and volume rise")),
        (UPRIGHT + ", level_tags: [LT-9]", ("level_tags", 'did you mean "LT-1"')),
        (UPRIGHT + ", temperature_tag: LT-1", ("temperature_tag", "allowed: TT-1")),
        (UPRIGHT + ", density_per_k: -0.1", ("density_per_k", "needs density_t_m3")),
        ("volume_m3: 9, molar_mass: 17", ("molar_mass", "needs pressure_tag")),
        ("volume_m3: 9, substance: toluene", ("substance", "allowed: 67-56-1, 71-43-2")),
        (UPRIGHT + ", flows: {in: [FT-9]}", ("flows", 'no flow tag "FT-9"')),
        (UPRIGHT + ", flows: {in: [FT-1], out: [FT-1]}", ("flows", "named twice")),
        (UPRIGHT + ", flows: {in: []}", ("flows", "0 flow tags; allowed: 1 to 8")),
        (UPRIGHT + ", flows: {in: [FT-2]}", ("flows", "has no range")),
        (UPRIGHT + ", flows: {in: [FT-3]}", ("flows", "% of FT-3 is no flow to balance", "m3/h")),
        (UPRIGHT + ", flows: {in: [FT-4]}", ("flows", "without density_t_m3")),
        ("flows: {in: [FT-1]}", ("flows", "need a level tag")),
        (UPRIGHT + ", flows: {inlet: [FT-1]}", ("inlet", "unknown member")),
    ],
)
def test_what_contradicts_itself_is_told_with_what_is_allowed(vessel: str, words: tuple[str, ...]):
    found = problems(vessel)
    assert found
    for word in words:
        assert word in found[0]


def test_the_demonstration_site_is_good():
    assert read_site(site_file("demo.yaml").read_text("utf-8")).enterprises
