"""What is said of a gateway's clock and counting."""

from domain.instant import SECOND
from domain.plant import Gateway
from ingest.batch import ClockFinding
from ingest.clocks import What, described
from ingest.ledger import Ledger
from ingest.rejection import shown


def clock_finding(gateway: Gateway, what: What, error: int) -> ClockFinding:
    """Its clock is now `what`; error: its clock minus ours, microseconds."""
    text = described(what, error, _name(gateway))
    return ClockFinding(gateway.id, what.value, error / SECOND, text)


def boot_reused(gateway: Gateway, boot: str) -> ClockFinding:
    """It counts `seq` again without a new boot."""
    text = f"gateway {_name(gateway)} counts again under its old boot {shown(boot)}"
    return ClockFinding(gateway.id, "boot_reused", 0.0, f"{text}; a restart needs a new one")


def gaps(gateway: Gateway, ledger: Ledger) -> ClockFinding:
    """It leaves more gaps in `seq` than can be remembered."""
    text = (
        f"gateway {_name(gateway)} leaves too many gaps in seq under boot {shown(ledger.boot)}; "
        f"receipts stand at {ledger.contiguous()} until it fills them or tells a higher 'oldest'"
    )
    return ClockFinding(gateway.id, "gaps", 0.0, text)


def _name(gateway: Gateway) -> str:
    return f"{gateway.park}/{gateway.enterprise_code}/{gateway.code}"
