"""Ladders of several jurisdictions, from the settings to who is told."""

from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import ValidationError

from domain.escalation import default
from domain.ladders import Ladders
from domain.risk import Colour
from hazwatch.settings import Settings, shown
from hazwatch.warning_rules import WarningRulesError, ladders_of, people_files
from tests.support.risk import SOURCE, said, site
from tests.support.warned import Watched

OTHER = SOURCE + 1
SHIPPED = Path(__file__).parents[3] / "domain" / "data" / "escalation.toml"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    text = SHIPPED.read_text("utf-8")
    eight = text.replace('"2026-11"', '"eighth division"').replace("PK =", "TD =")
    (tmp_path / "eight.toml").write_text(eight.replace('"PK"', '"TD"'), "utf-8")
    (tmp_path / "torn.toml").write_text("[role", "utf-8")
    return tmp_path


def test_a_ladder_is_named_for_a_node_by_a_setting(folder):
    given = Settings(escalation_ladders=f"corps/eight={folder / 'eight.toml'}, p1={SHIPPED}")
    found = ladders_of(given)
    assert found.default is default()
    assert {node: one.version for node, one in found.by_node.items()} == {
        ("corps", "eight"): "eighth division",
        ("p1",): default().version,
    }
    assert shown(given.escalation_ladders) == (f"corps/eight={folder / 'eight.toml'},p1={SHIPPED}")


@pytest.mark.parametrize("wrong", ["p1", "=x.toml", "p1=", "p1=a.toml,p1=b.toml"])
def test_a_setting_that_names_no_node_or_no_file_is_refused(wrong):
    with pytest.raises(ValidationError, match="expected NODE=FILE, each node once"):
        Settings(escalation_ladders=wrong)


@pytest.mark.parametrize("name", ["torn.toml", "gone.toml"])
def test_a_ladder_that_cannot_be_used_names_the_setting_and_the_file(folder, name):
    with pytest.raises(WarningRulesError, match=f"HAZWATCH_ESCALATION_LADDERS .*{name}"):
        ladders_of(Settings(escalation_ladders={"p1": folder / name}))


def test_a_contact_may_hold_a_role_of_any_ladder(folder):
    contact = '[[contact]]\nrole = "TD"\nnode = "p1"\nchannel = "log"\naddress = "x"\n'
    (folder / "contacts.toml").write_text(contact, "utf-8")
    given = Settings(contacts_file=folder / "contacts.toml")
    with pytest.raises(WarningRulesError, match="role 'TD' is not in the ladder"):
        people_files(given)
    given = given.model_copy(update={"escalation_ladders": {"p1": folder / "eight.toml"}})
    assert people_files(given).book.contacts[0].role == "TD"


def test_two_sources_climb_their_own_ladders():
    yellow, roles = default().colours[Colour.YELLOW], default().roles
    at_once = replace(yellow, at_once=(*yellow.at_once, roles["PK"]), later=())
    colours = {**default().colours, Colour.YELLOW: at_once}
    watched = Watched(site(grades={SOURCE: 1, OTHER: 1}))
    own = Ladders(default(), {(f"s{OTHER}",): replace(default(), colours=colours)})
    watched.rules = replace(watched.rules, ladder=own)
    watched.kill()
    watched.inputs = [said("colour_set", one, 0, colour="yellow") for one in (SOURCE, OTHER)]
    watched.warnings.heard(watched.inputs)
    watched.wait(60)
    gone = {id: node for id, node in watched.registry.nodes.items() if node.id != OTHER}
    for nodes in (gone, watched.registry.nodes):
        watched.warnings.update_registry(replace(watched.registry, nodes=nodes))
    watched.wait(30 * 60)
    told: dict[int, set[str]] = {SOURCE: set(), OTHER: set()}
    for step in watched.steps.values():
        if step.done is not None:
            told[watched.cases[step.case].source].add(step.role)
    assert told[OTHER] == {"OP", "SM", "HD-operation", "PK"}
    assert told[SOURCE] == told[OTHER] | {"HD-technical", "HD-main", "CO"}
