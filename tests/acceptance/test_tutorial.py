"""The tutorial is run as it stands: every `sh` block, in one shell, against the real servers."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from hazwatch.embedded import free_port
from tests.support.deployed_broker import DeployedBroker

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "connect-a-gateway.md"
WITHIN_S = 180
SHELL = ("bash", "-e", "-u", "-o", "pipefail")

pytestmark = [pytest.mark.broker, pytest.mark.database]


def blocks() -> list[str]:
    """The commands of the page, in order."""
    return re.findall(r"^```sh\n(.*?)^```$", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)


def script() -> str:
    """All blocks; the service's own numbers are kept before it is stopped."""
    *all_but_the_last, stop = blocks()
    metrics = 'curl --silent "http://127.0.0.1:$HAZWATCH_API_PORT/metrics" > metrics.txt\n'
    return "\n".join([*all_but_the_last, metrics, stop])


@pytest.fixture(scope="module")
def broker(tmp_path_factory):
    accounts = ["hazwatch", "riverside/acme/gw1"]
    with DeployedBroker(tmp_path_factory.mktemp("broker"), accounts) as broker:
        yield broker


def run(folder: Path, environment: dict[str, str]) -> str:
    """What the shell and all it started wrote."""
    shell = subprocess.Popen(
        [*SHELL, "-c", script()],
        cwd=folder,
        env=os.environ | environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        said, _ = shell.communicate(timeout=WITHIN_S)
    except subprocess.TimeoutExpired:
        os.killpg(shell.pid, signal.SIGKILL)
        said, _ = shell.communicate()
        raise AssertionError(f"not within {WITHIN_S} s:\n{said[-4000:]}") from None
    log = folder / "hazwatch.log"
    assert shell.returncode == 0, said + (log.read_text() if log.exists() else "")[-4000:]
    return said


def test_the_tutorial_can_be_typed_as_it_stands(timescale_url, broker, tmp_path):
    environment = {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "HAZWATCH_DATABASE_URL": timescale_url,
        "HAZWATCH_MQTT_URL": broker.url(),
        "HAZWATCH_API_PORT": str(free_port()),
        "HAZWATCH_DATA_DIR": str(tmp_path / "data"),
        "HAZWATCH_SELF_TEST": "true",
        "BROKER_PORT": str(broker.port),
        "GATEWAY_PASSWORD": broker.passwords["riverside/acme/gw1"],
    }
    said = run(tmp_path, environment)
    for shown in ('"state": "ACKED"', '"seq":2', '"naive_time"', '"unknown_tag"', '"P1"'):
        assert shown in said, f"{shown} in:\n{said}"
    exported = (tmp_path / "metrics.txt").read_text()
    rules = yaml.safe_load((ROOT / "deploy" / "prometheus" / "alerts.yml").read_text("utf-8"))
    panels = (ROOT / "deploy" / "grafana" / "dashboards" / "hazwatch.json").read_text("utf-8")
    asked = set(re.findall(r"\bhazwatch_\w+", f"{rules} {panels}"))
    families = {re.sub(r"_(total|bucket|count)$", "", name) for name in asked}
    assert [name for name in families if f"# TYPE {name}" not in exported] == []


def test_what_the_tutorial_needs_is_on_this_machine():
    """So that the test above fails by what the page says, and not by what is missing."""
    for program in ("bash", "curl", "jq", "mosquitto_pub", "mosquitto_sub"):
        found = subprocess.run(["which", program], capture_output=True, check=False)
        assert found.returncode == 0, f"{program} is missing"


def test_the_page_promises_no_path_that_is_not_there():
    for path in re.findall(r"\bdeploy/[\w/.-]+", PAGE.read_text("utf-8")):
        assert (ROOT / path).exists() or "/secrets" in path, path
