import pytest
from pydantic import ValidationError

from hazwatch.keeping import keep_of
from hazwatch.settings import Settings, shown
from storage.retention import FLOOR_DAYS, Keep


def refused(**given: object) -> str:
    with pytest.raises(ValidationError) as error:
        Settings(**given)  # type: ignore[arg-type]
    return str(error.value)


def test_what_is_kept_how_long_when_nobody_says():
    assert keep_of(Settings()) == Keep()


@pytest.mark.parametrize(
    "name", ["keep_samples_days", "keep_minutes_days", "keep_quarantine_days", "archive_after_days"]
)
def test_nothing_measured_goes_before_the_law_allows(name: str):
    assert getattr(Settings(**{name: FLOOR_DAYS * 30}), name) == FLOOR_DAYS * 30  # type: ignore[arg-type]
    assert "greater than or equal to 30" in refused(**{name: FLOOR_DAYS - 1})


def test_coarser_roll_ups_are_kept_at_least_as_long_as_what_they_are_made_of():
    assert "is kept 2000 days" in refused(keep_samples_days=2000)
    assert "is kept 4000 days" in refused(keep_minutes_days=4000)
    Settings(keep_samples_days=2000, keep_minutes_days=2000)


def test_the_archive_filter_is_off_and_is_named_by_kind():
    assert Settings().archive_filter == {}
    found = Settings(archive_filter="level=0.05:0.1, gas_toxic=0:0").archive_filter
    assert found == {"level": (0.05, 0.1), "gas_toxic": (0.0, 0.0)}
    assert shown(found) == "level=0.05:0.1,gas_toxic=0:0"


@pytest.mark.parametrize("wrong", ["level", "level=1", "levels=0:1", "level=-1:0", "level=4:2"])
def test_a_filter_that_cannot_be_meant_is_refused(wrong: str):
    assert wrong in refused(archive_filter=wrong)
