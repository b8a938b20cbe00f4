"""`hazwatch grade`: the worked examples as files, every problem with its place, exit codes."""

import json
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from hazwatch.commands import grade
from tests.support.sites import enterprise, site_data

ROOT = Path(__file__).parents[3]
EXAMPLES = """
version: 1
units:
  - code: e1
    name: 液氨球罐区
    population_500m: 60
    grade: 1
    substances:
      - name: ammonia
        cas: 7664-41-7
        vessels: [{count: 2, volume_m3: 400, fill_limit: 0.85, density_t_m3: 0.61}]
  - code: e3
    population_500m: 100
    grade: 3
    substances:
      - name: methanol
        cas: 67-56-1
        vessels: [{count: 2, volume_m3: 1000, fill_limit: 0.9, density_t_m3: 0.791}]
      - name: benzene
        cas: 71-43-2
        vessels: [{volume_m3: 500, fill_limit: 0.9, density_t_m3: 0.879}]
      - {name: gasoline, cas: 86290-81-5, design_t: 300}
  - code: e4a
    grade: 0
    substances:
      - {name: vinyl chloride, cas: 75-01-4, design_t: 30}
      - {name: organic peroxide type D, category: W7.2, design_t: 2}
      - {name: hydrogen, cas: 1333-74-0, design_t: 0.5}
"""


def run(*words: object):
    app = typer.Typer()
    app.command("grade")(grade.grade)
    return CliRunner().invoke(app, [str(word) for word in words], env={"COLUMNS": "200"})


def graded(tmp_path: Path, text: str, *words: str):
    file = tmp_path / "file.yaml"
    file.write_text(text, "utf-8")
    return run(file, *words)


def accounts(tmp_path: Path, text: str) -> dict[str, Any]:
    return {one["code"]: one for one in json.loads(graded(tmp_path, text, "--json").stdout)}


def unit(**substance: Any) -> str:
    return json.dumps(
        {"version": 1, "units": [{"code": "u", "population_500m": 1, "substances": [substance]}]}
    )


def source(substances: list[dict[str, Any]], **members: Any) -> dict[str, Any]:
    plant = enterprise("e1") | {"population_500m": 60}
    plant["sources"][0] |= {"substances": substances} | members
    return plant


def test_the_published_schema_is_the_one_of_the_model():
    published = (ROOT / "schemas" / "grading.schema.json").read_text("utf-8")
    assert published == grade.json_schema(), "run: hazwatch grade --schema"
    assert run("--schema").stdout == published


def test_the_examples_come_out_with_every_step(tmp_path):
    done = graded(tmp_path, EXAMPLES)
    assert done.exit_code == 0, done.output
    for step in (
        "q = 2 × 400 m³ · 0.85 · 0.61 t/m³ = 414.8 t",
        "S = 41.48 ≥ 1",
        "α = 1.5: 60 people within 500 m: 50 or more (表5, S2, S3, V2)",
        "R = α · Σ β·q/Q = 1.5 · 82.96 = 124.44",
        "grade 1 一级",
        "R = α · Σ β·q/Q = 2 · 12.2586 = 24.5172",
        "S = 0.74 < 1: no major hazard source 不构成重大危险源, no grade",
        "2 graded, 1 no major hazard source.",
    ):
        assert step in done.stdout


def test_json_holds_the_whole_arithmetic(tmp_path):
    found = accounts(tmp_path, EXAMPLES)
    one = found["e1"]["grading"]
    assert (one["s"]["exact"], one["r"]["exact"], one["grade"]) == ("41.48", "124.44", 1)
    (row,) = one["substances"]
    assert row["quantity_t"]["exact"] == "414.8"
    assert row["critical_t"] | {"why": ""} == {
        "exact": "10", "value": 10.0, "why": "", "standard": "GB 18218-2018", "clause": "表1",
        "source": "S3", "confidence": "A", "valid_from": "2019-03-01", "check": None,
    }  # fmt: skip
    assert row["beta"]["clause"] == "表3"
    assert [step["from"]["exact"] for step in one["grades"]] == ["100", "50", "10", "0"]
    assert found["e1"]["agrees"] is True
    assert found["e4a"]["outcome"] == "not_identified"
    assert found["e4a"]["grading"]["r"] is None
    assert found["e4a"]["grading"]["substances"][0]["weighted"] is None
    assert found["e4a"]["agrees"] is True


def test_a_number_without_end_is_a_fraction(tmp_path):
    found = accounts(tmp_path, unit(name="phosgene", cas="75-44-5", design_t=1))["u"]["grading"]
    assert found["s"]["exact"] == "10/3"
    assert found["s"]["value"] == pytest.approx(10 / 3)


def test_a_grade_that_is_registered_otherwise_ends_with_1(tmp_path):
    done = graded(tmp_path, EXAMPLES.replace("grade: 1", "grade: 2"))
    assert done.exit_code == 1
    assert "registered is 二级, computed is 一级: they differ" in done.stdout
    assert "1 registered otherwise" in done.stdout
    done = graded(tmp_path, EXAMPLES.replace("grade: 0", "grade: 4"))
    assert done.exit_code == 1
    assert "registered is 四级, computed is no major hazard source" in done.stdout


@pytest.mark.parametrize(
    ("substance", "path", "clause"),
    [
        ({"name": "x", "design_t": 1}, "units[0].substances[0].category", "is missing"),
        ({"name": "硝化纤维素", "cas": "9004-70-0", "design_t": 1},
         "units[0].substances[0].table1_row", "several rows"),
        ({"name": "x"}, "units[0].substances[0].design_t", "either design_t or vessels"),
        ({"name": "x", "design_t": -1}, "units[0].substances[0].design_t", "-1 is not allowed"),
        ({"name": "x", "design_t": 1, "category": "W5"},
         "units[0].substances[0].category", 'did you mean "W5.4"'),
        ({"name": "x", "design_t": 1, "category": 5},
         "units[0].substances[0].category", "5 is not allowed"),
        ({"name": "x", "design_t": 1, "cas": "7664-41-8"},
         "units[0].substances[0].cas", "check digit must be 7"),
        ({"name": "x", "design_t": 1, "beta": 2}, "units[0].substances[0].beta_source",
         "go together"),
        ({"name": "x", "design_t": 1, "mixture": "pure"}, "units[0].substances[0].mixture",
         "as_pure"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_with_path_value_and_what_is_allowed(
    tmp_path, substance, path, clause
):
    done = graded(tmp_path, unit(**substance))
    assert done.exit_code == 1
    assert f"{path}: " in done.output
    assert clause in done.output


def test_people_that_are_missing_are_asked_for_at_the_enterprise(tmp_path):
    plant = source([{"name": "ammonia", "cas": "7664-41-7", "design_t": 10}], grade=4)
    del plant["population_500m"]
    done = graded(tmp_path, json.dumps(site_data(plant)))
    assert done.exit_code == 1
    assert "enterprises[0].population_500m: " in done.stdout


def test_a_source_takes_what_its_vessels_hold_where_that_is_plain(tmp_path):
    tank = {"code": "V-1", "kind": "tank", "volume_m3": 400, "fill_limit": 0.85}
    ammonia = {"name": "ammonia", "cas": "7664-41-7"}
    pump = {"code": "P-1", "kind": "pump"}
    vessels = [tank | {"density_t_m3": 0.61}, tank | {"code": "V-2", "density_t_m3": 0.61}, pump]
    plain = site_data(source([ammonia], equipment=vessels, grade=1))
    found = accounts(tmp_path, json.dumps(plain))["s1"]
    assert found["grading"]["r"]["exact"] == "124.44"
    assert found["agrees"] is True
    for wrong, clause in (
        (source([ammonia], equipment=[tank]), "V-1 has no fill_limit or no density_t_m3"),
        (source([ammonia, ammonia], equipment=vessels), "V-1, V-2 does not say which substance"),
        (source([ammonia], equipment=[pump]), "no equipment with a volume holds it"),
    ):
        (problem, *_) = accounts(tmp_path, json.dumps(site_data(wrong)))["s1"]["problems"]
        assert problem["path"] == "enterprises[0].sources[0].substances[0].design_t"
        assert clause in problem["text"]


def test_each_substance_takes_the_equipment_that_says_it_holds_it(tmp_path):
    tank = {"kind": "tank", "volume_m3": 400, "fill_limit": 0.85, "density_t_m3": 0.61}
    vessels = [
        tank | {"code": "V-1", "substance": "7664-41-7"},
        tank | {"code": "V-2", "substance": "ammonia"},
        {"code": "V-3", "kind": "tank", "substance": "chlorine", "design_t": 5},
    ]
    held = [{"name": "ammonia", "cas": "7664-41-7"}, {"name": "chlorine", "cas": "7782-50-5"}]
    plant = site_data(source(held, equipment=vessels, grade=1))
    rows = accounts(tmp_path, json.dumps(plant))["s1"]["grading"]["substances"]
    assert [row["quantity_t"]["exact"] for row in rows] == ["414.8", "5"]
    assert rows[1]["quantity_from"] == "5 t"


def test_a_design_below_what_the_vessels_hold_is_told(tmp_path):
    tank = {"code": "V-1", "kind": "tank", "volume_m3": 400, "fill_limit": 0.85,
            "density_t_m3": 0.61}  # fmt: skip
    ammonia = {"name": "ammonia", "cas": "7664-41-7", "design_t": 200}
    found = accounts(tmp_path, json.dumps(site_data(source([ammonia], equipment=[tank]))))["s1"]
    assert found["notes"] == [
        "design_t 200 t is less than what the equipment holds: 400 m³ · 0.85 · 0.61 t/m³ = 207.4 t"
    ]


def test_sources_without_substances(tmp_path):
    done = graded(tmp_path, json.dumps(site_data(enterprise("e1"))))
    assert done.exit_code == 0
    assert "1 without substances" in done.stdout
    done = graded(tmp_path, json.dumps(site_data(source([], grade=3))))
    assert done.exit_code == 1
    assert "grade 3 is registered" in done.stdout


@pytest.mark.parametrize("text", ["[1, 2]", "a: 1", "units: []", "x", "5"])
def test_a_file_of_another_kind_says_what_is_allowed(tmp_path, text):
    done = graded(tmp_path, text)
    assert done.exit_code == 1
    assert "allowed" in done.stderr or "missing" in done.stderr


def test_the_park_of_the_demonstration_is_registered_as_it_is_graded():
    found = json.loads(run(ROOT / "deploy/sites/demo.yaml", "--json").stdout)
    assert [one["code"] for one in found if one["agrees"] is False] == []
    assert [one["code"] for one in found if one["problems"]] == ["an"]
