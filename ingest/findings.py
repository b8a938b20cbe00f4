"""What is said of a gateway's clock and counting."""

from collections.abc import Sequence

import numpy as np

from domain.instant import SECOND
from domain.plant import Gateway, Registry
from ingest.batch import Batch, ClockFinding
from ingest.clocks import What, described
from ingest.ledger import Ledger
from ingest.rejection import shown
from ingest.sentinels import Watch

NO_VALUE, VALUE_AGAIN = "no_value", "value_again"
SHOWN_NAMES = 5
"""Names of tags that a finding lists; the others are counted."""
_SAID = {
    NO_VALUE: 'numbers that mean "no value" 无效值 come for tags of gateway',
    VALUE_AGAIN: "values come again for tags of gateway",
}


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


def no_value(batch: Batch, watch: Watch, registry: Registry) -> list[ClockFinding]:
    """Tags that began to send a number that means "no value", and those that send values again.

    One finding a gateway; error_s: how many tags.
    """
    found = []
    for what, tags in zip((NO_VALUE, VALUE_AGAIN), watch.saw(batch.frame), strict=True):
        if not len(tags):
            continue
        rows = np.isin(batch.frame.tag, tags)
        sent = np.unique(np.stack((batch.gateway_of[rows], batch.frame.tag[rows])), axis=1)
        for gateway in registry.gateways:
            own = map(registry.tags.get, sent[1, sent[0] == gateway.id].tolist())
            names = [tag.name for tag in own if tag is not None]
            if names:
                text = f"{_SAID[what]} {_name(gateway)}: {_listed(names)}"
                found.append(ClockFinding(gateway.id, what, float(len(names)), text))
    return found


def _listed(names: Sequence[str]) -> str:
    more = len(names) - SHOWN_NAMES
    shown_names = ", ".join(shown(name) for name in names[:SHOWN_NAMES])
    return f"{shown_names} and {more} more" if more > 0 else shown_names


def _name(gateway: Gateway) -> str:
    return f"{gateway.park}/{gateway.enterprise_code}/{gateway.code}"
