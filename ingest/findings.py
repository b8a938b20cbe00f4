"""What is said of a gateway's clock and counting."""

from domain.instant import SECOND
from domain.plant import Gateway
from ingest.batch import ClockFinding
from ingest.clocks import What, described
from ingest.rejection import shown


def clock_finding(gateway: Gateway, what: What, error: int) -> ClockFinding:
    """Its clock is now `what`; error: its clock minus ours, microseconds."""
    text = described(what, error, _name(gateway))
    return ClockFinding(gateway.id, what.value, error / SECOND, text)


def boot_reused(gateway: Gateway, boot: str) -> ClockFinding:
    """It counts `seq` again without a new boot."""
    text = f"gateway {_name(gateway)} counts again under its old boot {shown(boot)}"
    return ClockFinding(gateway.id, "boot_reused", 0.0, f"{text}; a restart needs a new one")


def _name(gateway: Gateway) -> str:
    return f"{gateway.park}/{gateway.enterprise_code}/{gateway.code}"
