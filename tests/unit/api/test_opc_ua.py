"""The page that maps our alarms to OPC UA names members that there are."""

import re
from pathlib import Path

from api.routes.alarms import AlarmItem
from domain.alarms import Kind, Priority, State

PAGE = Path("docs/opc-ua.md").read_text("utf-8")
NOT_OF_AN_ALARM = {"at"}


def test_every_member_kind_state_and_priority_of_the_mapping_exists():
    ours = [line.split("|")[2] for line in PAGE.splitlines() if line.startswith("| ")]
    members = {word for cell in ours for word in re.findall(r"`([a-z_]+)`", cell)}
    assert len(members) >= 15
    assert members - NOT_OF_AN_ALARM <= AlarmItem.model_fields.keys()
    words = {word for cell in ours for word in re.findall(r"\b[A-Z][A-Z_]+\b", cell)}
    known = {*Kind.__members__, *State.__members__, "POST", "GET", "ID"}
    assert words <= known
    assert set(Priority.__members__) == set(re.findall(r"\bP\d\b", PAGE))
