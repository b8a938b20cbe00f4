"""What is deployed fits the program: metrics, settings, units, containers."""

import ast
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import yaml
from prometheus_client import CollectorRegistry

from alerts.contacts import Book
from alerts.person_file import read_contacts
from api.metrics import ApiMetrics
from domain.escalation import default
from hazwatch.metrics import SelfTestMetrics, WarningMetrics, WorkerMetrics
from hazwatch.settings import Settings
from ingest.broker_metrics import BrokerMetrics
from ingest.metrics import HttpMetrics, IngestMetrics
from ingest.sparkplug.metrics import SparkplugMetrics
from storage.metrics import JournalMetrics, RollupMetrics
from tests.support import install

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
COMPOSE = DEPLOY / "compose" / "compose.yaml"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
METRICS = (
    ApiMetrics,
    BrokerMetrics,
    HttpMetrics,
    IngestMetrics,
    SparkplugMetrics,
    JournalMetrics,
    RollupMetrics,
    SelfTestMetrics,
    WarningMetrics,
    WorkerMetrics,
)
OF_PROMETHEUS = {"job", "instance", "role", "le"}
"""Labels that Prometheus and its configuration add."""


def exported() -> dict[str, set[str]]:
    """Labels of each sample name that the metric classes can export."""
    registry = CollectorRegistry()
    for one in METRICS:
        one(registry)
    collectors = registry._names_to_collectors.items()
    return {name: set(getattr(one, "_labelnames", ())) for name, one in collectors}


def dashboard() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(
        (DEPLOY / "grafana" / "dashboards" / "hazwatch.json").read_text("utf-8")
    )
    return found


def panels() -> dict[str, str]:
    """Expressions of the dashboard by panel and letter."""
    return {
        f"{panel['title']} {target['refId']}": target["expr"]
        for panel in dashboard()["panels"]
        for target in panel["targets"]
    }


def alerts() -> dict[str, dict[str, Any]]:
    groups = yaml.safe_load((DEPLOY / "prometheus" / "alerts.yml").read_text("utf-8"))["groups"]
    return {rule["alert"]: rule for group in groups for rule in group["rules"]}


def expressions() -> dict[str, str]:
    return panels() | {name: rule["expr"] for name, rule in alerts().items()}


def metrics_in(expression: str) -> set[str]:
    return set(re.findall(r"\bhazwatch_\w+", expression))


def labels_in(expression: str) -> set[str]:
    matched = re.findall(r"(\w+)\s*(?:=~|!~|!=|=)\s*\"", expression)
    grouped = [
        name for group in re.findall(r"\bby \(([^)]*)\)", expression) for name in group.split(",")
    ]
    return {name.strip() for name in (*matched, *grouped)}


@pytest.mark.parametrize("where", sorted(expressions()))
def test_panels_and_alerts_ask_for_what_the_program_exports(where):
    expression, known = expressions()[where], exported()
    assert metrics_in(expression) <= known.keys()
    labels = set().union(*(known[name] for name in metrics_in(expression)))
    assert labels_in(expression) <= labels | OF_PROMETHEUS


def test_every_class_of_metrics_is_known_here_and_made_by_the_program():
    packages = ("domain", "ingest", "rules", "alerts", "storage", "api", "hazwatch")
    sources = {
        file: file.read_text("utf-8") for name in packages for file in (ROOT / name).rglob("*.py")
    }
    defined = {
        node.name
        for file, text in sources.items()
        if file.name.endswith("metrics.py")
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    }
    assert defined == {one.__name__ for one in METRICS}
    made = {name for text in sources.values() for name in re.findall(r"\b(\w+Metrics)\(", text)}
    assert defined - made == set()


@pytest.mark.parametrize(
    "metric",
    [
        "hazwatch_database_away",
        "hazwatch_spool_full_total",
        "hazwatch_lag_seconds",
        "hazwatch_notices_waiting",
        "hazwatch_broker_connected",
        "hazwatch_wall_clock_error_seconds",
    ],
)
def test_what_must_wake_somebody_has_an_alert(metric):
    assert any(metric in metrics_in(rule["expr"]) for rule in alerts().values())


@pytest.mark.parametrize("name", sorted(alerts()))
def test_every_alert_says_what_to_do(name):
    rule = alerts()[name]
    assert rule["annotations"].keys() == {"summary", "todo"}
    assert rule["labels"]["severity"] in ("critical", "warning", "info")


def test_panels_have_their_own_place_and_say_what_they_mean():
    places = [panel["gridPos"] for panel in dashboard()["panels"]]
    cells = [
        (x, y)
        for place in places
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(cells) == len(set(cells))
    assert all(x < 24 for x, _ in cells)
    assert all(panel["description"] for panel in dashboard()["panels"])


def test_the_dashboard_asks_the_data_source_that_is_provisioned():
    source = DEPLOY / "grafana" / "provisioning" / "datasources" / "prometheus.yaml"
    provisioned = {one["uid"] for one in yaml.safe_load(source.read_text("utf-8"))["datasources"]}
    asked = {
        target["datasource"]["uid"]
        for panel in dashboard()["panels"]
        for target in panel["targets"]
    }
    assert asked == provisioned


def test_docker_compose_accepts_the_file_in_a_fresh_clone():
    compose = [str(install.COMPOSE)] if install.COMPOSE.exists() else ["docker", "compose"]
    if shutil.which(compose[0]) is None:
        pytest.skip("docker compose is not installed")
    command = [*compose, "--file", str(COMPOSE), "config", "--quiet"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "variable is not set" not in done.stderr


def services() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = yaml.safe_load(COMPOSE.read_text("utf-8"))["services"]
    return found


def test_the_whole_service_is_in_the_compose_file():
    needed = {"timescale", "mosquitto", "worker", "api", "prometheus", "grafana"}
    assert services().keys() == needed


@pytest.mark.parametrize("name", sorted(services()))
def test_an_image_that_is_not_built_here_is_pinned_to_a_version(name):
    service = services()[name]
    if "build" not in service:
        assert re.search(r":v?\d+\.\d+\.\d+", service["image"])


@pytest.mark.parametrize("name", sorted(services()))
def test_what_a_container_mounts_from_the_tree_is_there(name):
    for volume in services()[name].get("volumes", []):
        source = volume.split(":")[0]
        if source.startswith("..") or (source.startswith("./") and "secrets" not in source):
            assert (COMPOSE.parent / source).exists()


@pytest.mark.parametrize("name", sorted(services()))
def test_ports_answer_on_this_machine_only_unless_somebody_says_otherwise(name):
    for port in services()[name].get("ports", []):
        assert re.match(r"\$\{HAZWATCH_\w+:-127\.0\.0\.1\}:", port)


def test_containers_get_settings_that_exist():
    for name in ("worker", "api"):
        for variable in services()[name]["environment"]:
            setting = variable.removeprefix("HAZWATCH_").lower()
            secret = setting.removesuffix("_file")
            assert {setting, secret} & Settings.model_fields.keys()


def test_variables_of_the_compose_file_are_in_the_example_and_none_else():
    used = set(re.findall(r"\$\{(\w+)", COMPOSE.read_text("utf-8")))
    example = (COMPOSE.parent / ".env.example").read_text("utf-8")
    assert used == set(re.findall(r"^(\w+)=", example, re.MULTILINE))


def test_no_password_is_in_a_file_of_the_tree():
    for file in DEPLOY.rglob("*"):
        if file.is_file() and "secrets" not in file.parts:
            for url in re.findall(r"\w+://[^\s:/@]+:([^\s@/]+)@", file.read_text("utf-8")):
                assert url in ("%s", "PASSWORD"), file


def test_secrets_are_made_once_and_fit_what_the_containers_read(tmp_path):
    tree = tmp_path / "deploy"
    shutil.copytree(DEPLOY, tree, ignore=shutil.ignore_patterns("secrets"))
    run = [str(tree / "compose" / "make-secrets")]
    subprocess.run(run, check=True, capture_output=True)
    folder = tree / "compose" / "secrets"
    first = {file: file.read_bytes() for file in folder.rglob("*") if file.is_file()}
    subprocess.run(run, check=True, capture_output=True)
    assert {file: file.read_bytes() for file in folder.rglob("*") if file.is_file()} == first
    assert folder.stat().st_mode & 0o077 == 0
    password = (folder / "database_password").read_text()
    assert f"hazwatch:{password}@timescale:5432/hazwatch" in (folder / "database_url").read_text()
    wanted = yaml.safe_load(COMPOSE.read_text("utf-8"))["secrets"].values()
    assert all((tree / "compose" / one["file"]).exists() for one in wanted)


def test_secrets_in_files_become_settings(tmp_path):
    (tmp_path / "url").write_text("mqtt://hazwatch:x$y@broker:1884")
    script = str(DEPLOY / "compose" / "with-secrets")
    environment = {"PATH": os.environ["PATH"], "HAZWATCH_MQTT_URL_FILE": str(tmp_path / "url")}
    done = subprocess.run(
        [script, "env"], env=environment, capture_output=True, text=True, check=True
    )
    assert "HAZWATCH_MQTT_URL=mqtt://hazwatch:x$y@broker:1884\n" in done.stdout
    assert "MQTT_URL_FILE" not in done.stdout


@pytest.mark.parametrize("words", [[], ["one"], ["f", "p1/e1"], ["f", "p1/e1/#"], ["f", "a:b"]])
def test_an_account_that_could_not_work_is_refused(words, tmp_path):
    script = str(DEPLOY / "mosquitto" / "account")
    done = subprocess.run(
        [sys.executable, script, *words], capture_output=True, cwd=tmp_path, check=False
    )
    assert done.returncode == 2
    assert list(tmp_path.iterdir()) == []


def test_an_account_can_be_taken_away(tmp_path):
    script, file = str(DEPLOY / "mosquitto" / "account"), str(tmp_path / "passwords")
    for words in ([file, "p1/e1/g1"], [file, "p1/e1/g2"], ["--remove", file, "p1/e1/g1"]):
        subprocess.run([sys.executable, script, *words], capture_output=True, check=True)
    assert [line.split(":")[0] for line in Path(file).read_text().splitlines()] == ["p1/e1/g2"]


def unit_lines(file: Path) -> dict[str, str]:
    pairs = [line.split("=", 1) for line in file.read_text("utf-8").splitlines() if "=" in line]
    return {name: value for name, value in pairs if not name.startswith("#")}


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_a_unit_gives_the_service_time_to_stop_and_starts_it_again(unit):
    lines = unit_lines(unit)
    assert float(lines["TimeoutStopSec"]) > Settings.model_fields["stop_within_s"].default
    assert lines["Restart"] == "always"
    assert lines["ProtectSystem"] == "strict"


def test_containers_get_the_time_to_stop_as_well():
    for name in ("worker", "api"):
        seconds = float(services()[name]["stop_grace_period"].removesuffix("s"))
        assert seconds > Settings.model_fields["stop_within_s"].default


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_systemd_accepts_the_unit_and_calls_it_safe(unit, tmp_path):
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")
    copy = tmp_path / unit.name
    copy.write_text(unit.read_text("utf-8").replace("/opt/hazwatch/bin/hazwatch", "/bin/true"))
    for words in (["verify"], ["security", "--offline=true", "--threshold=20"]):
        command = ["systemd-analyze", *words, str(copy)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        assert unit.name not in done.stderr


def test_the_example_of_a_contact_file_can_be_uncommented():
    text = (DEPLOY / "warnings" / "contacts.toml").read_text("utf-8")
    assert read_contacts(text, default(), ZoneInfo("UTC")) == Book()
    table = text[text.index("# [[contact]]") :]
    table = re.sub(r"^# ?", "", table, flags=re.MULTILINE)
    entries = read_contacts(table, default(), ZoneInfo("UTC")).contacts
    assert [entry.contact.channel for entry in entries] == ["webhook", "mqtt"]
