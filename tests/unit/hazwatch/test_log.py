import logging
from collections.abc import Iterator

import pytest
import structlog

from hazwatch import log


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    yield
    structlog.reset_defaults()
    root.handlers = handlers
    root.setLevel(level)


@pytest.mark.parametrize(("as_json", "says"), [(True, "of another reason"), (False, "in _fail")])
def test_a_traceback_tells_no_values_of_variables(
    as_json: bool, says: str, capsys: pytest.CaptureFixture[str]
):
    log.configure("INFO", as_json=as_json)
    try:
        _fail("correct " + "horse")
    except ValueError as error:
        structlog.get_logger(__name__).error("request failed", exc_info=error)
    told = capsys.readouterr().err
    assert says in told
    assert "correct horse" not in told


def _fail(password: str) -> None:
    raise ValueError("of another reason")
