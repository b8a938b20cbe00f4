"""Contact file and rosters on disk: read again when they change, never worse than before."""

from dataclasses import replace
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from alerts.contacts import ContactsError
from domain.escalation import default
from hazwatch import doctor_settings
from hazwatch.doctor import Outcome
from hazwatch.notice_check import start_faults
from hazwatch.people_files import PeopleFiles
from hazwatch.settings import Settings
from hazwatch.warning_rules import kept_people, people_files
from tests.unit.alerts.test_contacts import PEOPLE, SHIFT
from tests.unit.alerts.test_holes import SITE

SHANGHAI = ZoneInfo("Asia/Shanghai")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "contacts.toml").write_text(PEOPLE, "utf-8")
    (tmp_path / "week.ics").write_text(SHIFT, "utf-8")
    (tmp_path / "holidays.ics").write_text(SHIFT, "utf-8")
    return tmp_path


def files(folder: Path) -> PeopleFiles:
    return PeopleFiles(folder / "contacts.toml", default(), SHANGHAI)


@pytest.mark.parametrize("name", ["contacts.toml", "week.ics"])
def test_a_typo_before_a_restart_leaves_in_force_what_was_and_says_so(folder, name):
    def again() -> PeopleFiles:
        path = folder / "contacts.toml"
        return PeopleFiles(path, default(), SHANGHAI, folder / "data" / "people.json")

    whole = (folder / name).read_bytes()
    (folder / name).write_text("BEGIN:", "utf-8")
    with pytest.raises(ContactsError):
        again()
    (folder / name).write_bytes(whole)
    first = again()
    assert first.trouble is None
    (folder / name).write_text("BEGIN:", "utf-8")
    restarted = again()
    shown = [
        [(duty.role, len(duty.rosters)) for duty in one.book.duties] for one in (first, restarted)
    ]
    assert shown[0] == shown[1] != []
    assert restarted.trouble is not None
    assert not restarted.reread(), "it is said once"
    (folder / name).write_bytes(whole)
    assert restarted.reread()
    assert restarted.trouble is None


def test_the_service_starts_with_the_people_in_force_last_and_the_doctor_fails(folder):
    said = PEOPLE.replace("apprise", "log")
    (folder / "contacts.toml").write_text(said, "utf-8")
    given = Settings(contacts_file=folder / "contacts.toml", data_dir=folder / "data")
    assert start_faults(given) == []
    assert not (folder / "data").exists(), "who only asks keeps nothing"
    people_files(given, kept_people(given))
    (folder / "week.ics").write_text("BEGIN:", "utf-8")
    assert start_faults(given) == []
    (found,) = (one for one in doctor_settings.look(given, {}) if one.check == "warnings")
    assert (found.outcome, "in force last" in found.todo) == (Outcome.FAILED, True)
    kept_people(given).unlink()
    (fault,) = start_faults(given)
    assert "week.ics" in fault
    (found,) = (one for one in doctor_settings.look(given, {}) if one.check == "warnings")
    assert "does not start" in found.todo


def test_who_a_warning_would_not_reach_is_said_once_until_it_changes(folder):
    found = files(folder)
    said = found.unreached(SITE)
    assert said is not None
    assert "duty PK: the site has no node 'P1', or several" in said
    assert "OP (told at once 立即通知) has nobody for 2 of 2 sources" in said
    assert "CI-leader" not in said, "is told later"
    assert found.unreached(SITE) is None
    one_less = replace(SITE, nodes={id: node for id, node in SITE.nodes.items() if id != 6})
    assert "1 of 1 sources" in (found.unreached(one_less) or "")
    assert PeopleFiles(None, default(), SHANGHAI).unreached(SITE) is None


def test_nothing_is_read_again_while_nothing_has_changed(folder):
    found = files(folder)
    before = found.book
    assert not found.reread()
    assert found.book is before


@pytest.mark.parametrize("name", ["contacts.toml", "week.ics"])
def test_a_file_that_has_changed_is_in_force_after_the_next_look(folder, name):
    found = files(folder)
    before = found.book
    (folder / name).write_text((folder / name).read_text("utf-8") + "\n\n", "utf-8")
    assert found.reread()
    assert found.book is not before
    assert not found.reread()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("contacts.toml", "[[duty"),
        ("week.ics", "BEGIN:"),
        ("week.ics", None),
        ("week.ics", b"\xff"),
    ],
)
def test_a_broken_new_file_is_refused_once_and_the_old_one_stays_in_force(folder, name, content):
    found = files(folder)
    before, whole = found.book, (folder / name).read_bytes()
    if content is None:
        (folder / name).unlink()
    else:
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(ContactsError):
        found.reread()
    assert found.book is before
    assert not found.reread()
    (folder / name).write_bytes(whole)
    assert found.reread()
    assert found.book.people == before.people


def test_the_contact_file_itself_may_be_gone_for_a_while(folder):
    found = files(folder)
    text = (folder / "contacts.toml").read_bytes()
    (folder / "contacts.toml").unlink()
    with pytest.raises(OSError, match="No such file"):
        found.reread()
    assert not found.reread()
    (folder / "contacts.toml").write_bytes(text)
    assert found.reread()


def test_at_the_start_what_is_wrong_is_raised(folder):
    (folder / "week.ics").write_text("nonsense")
    with pytest.raises(ContactsError, match=r"week\.ics line 1"):
        files(folder)


def test_without_a_file_nobody_is_named():
    found = PeopleFiles(None, default(), SHANGHAI)
    assert not found.reread()
    assert found.book.people == {}
