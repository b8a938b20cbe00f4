"""What plants reported, read again at a worker's start."""

import json
from datetime import timedelta

from domain.instant import micros
from hazwatch.restore import restore
from storage.database import DatabaseOptions, connect
from storage.edge_alarms import read_plant_alarms
from tests.support.builders import START, at
from tests.support.seed import Plant, Seed


def reported(seed: Seed, plant: Plant, *rows: tuple[float, str, str, bool]) -> None:
    """(received, id, kind, active) of LI101, by the first gateway."""
    with seed.connection() as connection:
        for second, id, kind, active in rows:
            connection.execute(
                "INSERT INTO plant_alarm VALUES (%s, %s, %s, %s, 'LI101', %s, %s, %s)",
                (
                    plant.gateways[0], id, at(second - 1), at(second), kind, active,
                    json.dumps({"limit": second}),
                ),
            )  # fmt: skip


async def test_the_newest_report_of_each_tag_and_kind_in_the_order_of_coming(database_url: str):
    seed = Seed(database_url)
    plant = seed.plant()
    reported(seed, plant, (1, "a", "H", True), (9, "b", "H", False), (5, "c", "HH", True))
    async with await connect(DatabaseOptions(database_url)) as conn:
        found = await read_plant_alarms(conn, START)
        later = await read_plant_alarms(conn, at(6))
    assert [(one.id, one.kind, one.active) for one in found] == [
        ("c", "HH", True), ("b", "H", False),
    ]  # fmt: skip
    assert (found[0].received, found[0].time) == (micros(at(5)), at(4))
    assert found[0].body == {"limit": 5}
    assert [one.id for one in later] == ["b"]


async def test_a_start_brings_the_reports_of_the_last_month(database_url: str):
    seed = Seed(database_url)
    plant = seed.plant()
    reported(seed, plant, (-40 * 86_400, "old", "H", True), (1, "new", "HH", True))
    async with await connect(DatabaseOptions(database_url)) as conn:
        found = await restore(conn, "main", START + timedelta(seconds=10))
    assert [one.id for one in found.said] == ["new"]
