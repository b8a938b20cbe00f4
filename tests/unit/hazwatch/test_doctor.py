"""The doctor without servers: deadlines, exit codes, clocks, disk, settings."""

import asyncio
import threading
from collections.abc import Sequence

import pytest

from hazwatch import doctor_clocks, doctor_disk, doctor_settings
from hazwatch.doctor import Area, Check, Diagnosis, Outcome, aside, examine, exit_code
from hazwatch.settings import Settings

AREA = Area("database")


def settings(**given) -> Settings:
    return Settings(**{"data_dir": "/var/lib/hazwatch", **given})


def outcomes(found: Sequence[Diagnosis]) -> dict[str, Outcome]:
    return {one.check: one.outcome for one in found}


@pytest.mark.parametrize(("server", "code"), [(True, 3), (False, 1)])
async def test_a_check_that_hangs_is_given_up_and_holds_no_other_up(server, code):
    async def hang():
        await asyncio.Event().wait()

    async def fine():
        return [AREA.ok("fine", "")]

    found = await examine(
        [Check(AREA, "hangs", hang, 0.01, server=server), Check(AREA, "fine", fine, 1)]
    )
    assert outcomes(found) == {"hangs": Outcome.FAILED, "fine": Outcome.OK}
    assert exit_code(found) == code


async def test_a_disk_that_hangs_is_left_alone():
    release = threading.Event()

    async def hang():
        return await aside(lambda: [AREA.ok("disk", str(release.wait()))])

    found = await examine([Check(AREA, "disk", hang, 0.01)])
    release.set()
    assert outcomes(found) == {"disk": Outcome.FAILED}


async def test_what_goes_wrong_aside_is_raised_where_it_is_waited_for():
    with pytest.raises(ZeroDivisionError):
        await aside(lambda: 1 / 0)


@pytest.mark.parametrize(
    ("found", "code"),
    [
        ([], 0),
        ([AREA.ok("a", "")], 0),
        ([AREA.warning("a", "", ""), AREA.unknown("b", "")], 0),
        ([AREA.failed("a", "", "")], 1),
        ([AREA.failed("a", "", ""), AREA.away("b", "", "")], 3),
    ],
)
def test_the_exit_code_tells_the_worst(found, code):
    assert exit_code(found) == code


@pytest.mark.parametrize(
    ("offset_s", "leap", "outcome"),
    [
        (0.0, "Normal", Outcome.OK),
        (-0.7, "Normal", Outcome.WARNING),
        (61.0, "Normal", Outcome.FAILED),
        (0.0, "Not synchronised", Outcome.WARNING),
    ],
)
def test_chrony_is_understood(offset_s, leap, outcome):
    assert doctor_clocks.by_chrony(offset_s, leap).outcome is outcome


async def test_a_disk_smaller_than_the_spool_is_told(tmp_path):
    found = await doctor_disk.look(settings(data_dir=tmp_path / "new" / "er", spool_bytes=2**60))
    assert outcomes(found)["room"] is Outcome.WARNING
    assert list(tmp_path.iterdir()) == []


async def test_a_backlog_and_torn_files_in_the_spool_are_told(tmp_path):
    spool = tmp_path / "spool" / "main"
    spool.mkdir(parents=True)
    (spool / "0000000001.spool").write_bytes(b"x" * 2048)
    (spool / "0000000000.torn").write_bytes(b"x")
    found = {one.check: one for one in await doctor_disk.look(settings(data_dir=tmp_path))}
    assert "2 KiB" in found["backlog"].found
    assert "0000000000.torn" in found["torn"].found


@pytest.mark.parametrize(
    ("given", "check"),
    [
        ({"data_dir": ".data"}, "data dir"),
        ({"api_host": "0.0.0.0"}, "cookie"),
        ({"webhooks": "https://example.com"}, "webhooks"),
        ({"mqtt_url": "mqtt://10.0.0.9"}, "broker"),
        ({"spool_bytes": 1}, "spool"),
        ({"flush_samples": 10, "queue_samples": 5}, "queue"),
        ({"lease_s": 1.1, "tick_s": 1}, "lease"),
        ({"contacts_file": None}, "contacts"),
        ({"contacts_file": "torn.toml"}, "warnings"),
        ({"contacts_file": "rosterless.toml"}, "warnings"),
        ({"escalation_file": "gone.toml"}, "warnings"),
        ({}, "sane"),
    ],
)
def test_settings_that_are_hardly_meant_stand_out(tmp_path, given, check):
    duty = '[[duty]]\nrole = "PK"\nnode = "p"\nrosters = ["gone.ics"]'
    for name, content in (
        *(("contacts.toml", ""), ("torn.toml", "[[contact"), ("rosterless.toml", duty)),
    ):
        (tmp_path / name).write_text(content)
    files = {"contacts_file": "contacts.toml"} | given
    given = files | {k: tmp_path / v for k, v in files.items() if str(v).endswith(".toml")}
    found = doctor_settings.look(settings(**given), {"PATH": "", "HAZWATCH_API_PORT": "1"})
    assert {one.check for one in found} == {check}
    assert all(one.todo for one in found) or check == "sane"


def test_a_fault_point_that_is_set_is_a_failure_and_one_that_is_empty_is_not(tmp_path):
    (tmp_path / "contacts.toml").write_text("")
    given = settings(contacts_file=tmp_path / "contacts.toml")
    armed = {"HAZWATCH_TEST_FAULT_POINT": "rung.committed=kill"}
    (found,) = doctor_settings.look(given, armed)
    assert (found.check, found.outcome) == ("fault point", Outcome.FAILED)
    assert "rung.committed=kill" in found.found
    assert "HAZWATCH_TEST_FAULT_POINT" in found.todo
    (fine,) = doctor_settings.look(given, {"HAZWATCH_TEST_FAULT_POINT": ""})
    assert fine.outcome is Outcome.OK
