import errno
import os
import signal
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.spool import Spool, SpoolBroken, SpoolFull, SpoolInUse, framed, read_records

RECORDS = st.lists(st.binary(max_size=40), max_size=12)


def drained(spool: Spool) -> list[bytes]:
    found: list[bytes] = []
    while records := spool.peek(1):
        found += records
        spool.drop(records)
    return found


@given(RECORDS, st.data())
def test_any_truncation_yields_a_prefix_of_the_records(records: list[bytes], data: st.DataObject):
    content = b"".join(map(framed, records))
    cut = data.draw(st.integers(0, len(content)))
    with TemporaryDirectory() as folder:
        Path(folder, "0000000001.spool").write_bytes(content[:cut])
        with Spool(Path(folder)) as spool:
            found = drained(spool)
    assert found == records[: len(found)]
    assert sum(len(framed(record)) for record in records[: len(found) + 1]) >= cut


@given(RECORDS.filter(any), st.data())
def test_a_damaged_byte_is_never_read_as_a_record(records: list[bytes], data: st.DataObject):
    content = bytearray(b"".join(map(framed, records)))
    place = data.draw(st.integers(0, len(content) - 1))
    content[place] ^= data.draw(st.integers(1, 255))
    with TemporaryDirectory() as folder:
        path = Path(folder, "segment")
        path.write_bytes(content)
        found = list(read_records(path))
    assert found == records[: len(found)]
    assert len(found) < len(records)


@given(st.lists(st.one_of(RECORDS, st.none(), st.just("crash")), max_size=20))
def test_records_come_out_in_order_whatever_is_read_rolled_over_or_opened_again(steps: list):
    put: list[bytes] = []
    got: list[bytes] = []
    with TemporaryDirectory() as folder:
        spool = Spool(Path(folder), segment_bytes=100)
        for step in steps:
            if step == "crash":
                got += drained(spool)
                spool.close()
                spool = Spool(Path(folder), segment_bytes=100)
            elif step is None:
                records = spool.peek(30)
                spool.drop(records)
                got += records
            else:
                spool.append(step)
                put += step
        got += drained(spool)
        assert got == put
        assert spool.size == 0
        assert spool.empty
        spool.close()
        assert list(Path(folder).glob("*.spool")) == []


def test_what_was_dropped_comes_again_after_a_crash_but_nothing_is_missing(tmp_path: Path):
    records = [b"%d" % number for number in range(50)]
    with Spool(tmp_path, segment_bytes=64) as spool:
        spool.append(records[:20])
        spool.append(records[20:])
        first = spool.peek(1)
        spool.drop(first)
    with Spool(tmp_path) as again:
        assert drained(again) == records


def test_a_full_spool_takes_nothing_of_an_append_and_goes_on_when_drained(tmp_path: Path):
    with Spool(tmp_path, limit_bytes=100) as spool:
        spool.append([b"x" * 60])
        with pytest.raises(SpoolFull, match="68 of 100 bytes"):
            spool.append([b"a", b"y" * 60])
        assert drained(spool) == [b"x" * 60]
        spool.append([b"y" * 60])
        assert drained(spool) == [b"y" * 60]


def test_a_full_disk_is_a_full_spool_and_leaves_no_half_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with Spool(tmp_path) as spool:
        spool.append([b"before"])
        with monkeypatch.context() as broken:
            broken.setattr(os, "fdatasync", full)
            with pytest.raises(SpoolFull):
                spool.append([b"lost"])
        spool.append([b"after"])
        assert drained(spool) == [b"before", b"after"]


def test_a_broken_disk_is_not_taken_for_a_full_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def broken(_: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    with Spool(tmp_path) as spool:
        spool.append([b"before"])
        with monkeypatch.context() as failing:
            failing.setattr(os, "fdatasync", broken)
            with pytest.raises(SpoolBroken, match="Input/output"):
                spool.append([b"lost"])
        spool.append([b"after"])
        assert len(list(tmp_path.glob("*.spool"))) == 2, "nothing is written behind a failed sync"
        assert drained(spool) == [b"before", b"after"]


def test_a_disk_without_room_for_another_name_is_a_full_spool_and_leaves_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with Spool(tmp_path) as spool:
        for broken in ("open", "fdatasync", "fsync"):
            with monkeypatch.context() as failing:
                failing.setattr(os, broken, full)
                for put in (spool.append, lambda records: spool.set_aside(records[0])):
                    with pytest.raises(SpoolFull):
                        put([b"lost"])
        assert [path.name for path in tmp_path.iterdir()] == ["lock"]
        assert (spool.size, spool.rejected) == (0, 0)
        spool.append([b"kept"])
        assert drained(spool) == [b"kept"]


def test_a_torn_end_is_kept_for_people_and_what_follows_it_is_read(tmp_path: Path):
    (tmp_path / "0000000003.spool").write_bytes(framed(b"whole") + framed(b"torn")[:-1])
    with Spool(tmp_path) as spool:
        spool.append([b"later"])
        assert drained(spool) == [b"whole", b"later"]
        assert spool.torn_bytes == len(framed(b"torn")) - 1
    assert (tmp_path / "0000000003.torn").exists()
    with Spool(tmp_path) as again:
        again.append([b"x"])
        assert (tmp_path / "0000000004.spool").exists()


def test_a_record_that_was_set_aside_is_not_read_and_not_lost(tmp_path: Path):
    with Spool(tmp_path) as spool:
        spool.append([b"one", b"two"])
        path = spool.set_aside(b"one")
        assert (spool.rejected, list(read_records(path))) == (1, [b"one"])
        spool.drop([b"one"])
        assert drained(spool) == [b"two"]
    with Spool(tmp_path) as again:
        assert again.rejected == 1
        assert again.empty
        again.append([b"three"])
        assert again.set_aside(b"three").name == "0000000004.rejected"


def test_a_record_that_was_set_aside_is_read_again_under_another_name(tmp_path: Path):
    with Spool(tmp_path) as spool:
        path = spool.set_aside(b"one")
    path.rename(path.with_suffix(".spool"))
    with Spool(tmp_path) as again:
        assert drained(again) == [b"one"]
        assert again.rejected == 0


def test_a_spool_has_one_process(tmp_path: Path):
    with Spool(tmp_path), pytest.raises(SpoolInUse):
        Spool(tmp_path)


WRITER = """
import sys
from pathlib import Path
from storage.spool import Spool
spool = Spool(Path(sys.argv[1]), segment_bytes=4096)
for number in range(1_000_000):
    spool.append([b"%d:%d" % (number, part) for part in range(3)])
    print(number, flush=True)
"""


def test_whatever_was_confirmed_survives_kill_9(tmp_path: Path):
    command = [sys.executable, "-c", WRITER, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        for line in writer.stdout:
            if int(line) == 200:
                writer.send_signal(signal.SIGKILL)
                break
        confirmed = max([200, *map(int, writer.stdout.read().split())])
    with Spool(tmp_path) as spool:
        found = drained(spool)
    expected = [b"%d:%d" % (number, part) for number in range(confirmed + 2) for part in range(3)]
    assert len(found) >= 3 * (confirmed + 1)
    assert found == expected[: len(found)]
