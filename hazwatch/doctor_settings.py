"""The doctor's look at the settings: what is allowed and still hardly meant."""

from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from ipaddress import ip_address
from urllib.parse import urlsplit

from domain import fault_points
from domain.clock import SystemClock
from hazwatch.doctor import Area, Diagnosis
from hazwatch.notice_check import notice_faults, start_faults
from hazwatch.self_test_people import told
from hazwatch.settings import Settings
from hazwatch.warning_rules import WarningRulesError, people_files, warning_rules

AREA = Area("settings")
OF_TESTS = "HAZWATCH_TEST_"


def look(settings: Settings, environment: Mapping[str, str]) -> Sequence[Diagnosis]:
    """What stands out; one line that says so where nothing does."""
    odd = [
        *_fails_on_purpose(environment),
        *_misspelt(environment),
        *_open(settings),
        *_numbers(settings),
        *_files(settings),
    ]
    return odd or [AREA.ok("sane", f"{len(Settings.model_fields)} settings, nothing stands out")]


def _fails_on_purpose(environment: Mapping[str, str]) -> Iterator[Diagnosis]:
    if spec := environment.get(fault_points.VARIABLE):
        found = f"{fault_points.VARIABLE} = {spec}: hazwatch run kills or freezes itself there"
        todo = (
            f"it is for tests alone: take {fault_points.VARIABLE} out of the environment of every "
            "hazwatch, and start them again"
        )
        yield AREA.failed("fault point", found, todo)


def _misspelt(environment: Mapping[str, str]) -> Iterator[Diagnosis]:
    known = [f"HAZWATCH_{name.upper()}" for name in Settings.model_fields]
    for name in sorted(environment):
        ours = name.upper().startswith("HAZWATCH_") and not name.startswith(OF_TESTS)
        if ours and name.upper() not in known:
            near = get_close_matches(name.upper(), known, n=1)
            todo = f"did you mean {near[0]}?" if near else "hazwatch settings lists what there is"
            yield AREA.warning("unknown variable", f"{name} has no meaning", todo)


def _open(settings: Settings) -> Iterator[Diagnosis]:
    if not _local(settings.api_host) and not settings.secure_cookie:
        todo = "put a proxy with TLS before it and set HAZWATCH_SECURE_COOKIE"
        yield AREA.warning("cookie", "the page is open to the network without TLS", todo)
    broker = urlsplit(settings.mqtt_url)
    if not _local(broker.hostname or ""):
        if broker.username is None:
            todo = "give it accounts: deploy/mosquitto/account"
            yield AREA.warning("broker", "HAZWATCH_MQTT_URL has no account", todo)
        if broker.scheme == "mqtt":
            todo = "use mqtts://, or a network of their own"
            yield AREA.warning("broker", "the password goes to another machine in the clear", todo)
    if settings.webhooks and not settings.webhook_secret.get_secret_value():
        todo = "set HAZWATCH_WEBHOOK_SECRET"
        yield AREA.warning("webhooks", "receivers can't tell who calls them", todo)


def _files(settings: Settings) -> Iterator[Diagnosis]:
    try:
        people = people_files(settings)
        warning_rules(settings, people)
        for fault in notice_faults(settings, people.book):
            yield AREA.failed("notices", fault, "mend it; the worker does not start")
    except WarningRulesError as wrong:
        starts = not start_faults(settings)
        goes_on = "goes on with the people in force last" if starts else "does not start"
        yield AREA.failed("warnings", str(wrong), f"mend the file; the worker {goes_on}")
    else:
        yield from _self_test_told(settings)
        for one in people.book.doubts:
            yield AREA.warning("rosters", one.found, one.todo)
    if settings.contacts_file is None:
        todo = "name people in a contact file: HAZWATCH_CONTACTS_FILE"
        yield AREA.warning("contacts", "warnings reach nobody but the log", todo)


def _self_test_told(settings: Settings) -> Iterator[Diagnosis]:
    """Whether somebody hears that the self-test has failed."""
    book, now = people_files(settings).book, SystemClock().now()
    if settings.self_test and not list(told(settings, lambda: book, now)):
        todo = (
            f"let somebody hold the role {settings.self_test_role} (HAZWATCH_SELF_TEST_ROLE) in "
            "the contact file, by webhook or apprise, or name addresses in HAZWATCH_WEBHOOKS, "
            "with P2 in HAZWATCH_WEBHOOK_PRIORITIES"
        )
        yield AREA.warning("self-test", "that it fails is told to nobody now but the log", todo)


def _local(host: str) -> bool:
    """Whether only this machine, or a name that says nothing about where it is, is meant."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return "." not in host


def _numbers(settings: Settings) -> Iterator[Diagnosis]:
    if not settings.data_dir.is_absolute():
        todo = "set HAZWATCH_DATA_DIR to a whole path"
        found = f"{settings.data_dir} depends on the folder that hazwatch is started in"
        yield AREA.warning("data dir", found, todo)
    if settings.spool_bytes < settings.inbox_bytes:
        todo = "the spool has to take at least what is in memory"
        yield AREA.warning("spool", "HAZWATCH_SPOOL_BYTES < HAZWATCH_INBOX_BYTES", todo)
    if settings.flush_samples > settings.queue_samples:
        todo = "a commit can't be larger than the queue"
        yield AREA.warning("queue", "HAZWATCH_FLUSH_SAMPLES > HAZWATCH_QUEUE_SAMPLES", todo)
    if settings.lease_s < 4 * settings.tick_s:
        todo = "it is renewed at a third of its life: 15 s is a good value"
        yield AREA.warning("lease", f"HAZWATCH_LEASE_S = {settings.lease_s:g} is very short", todo)
