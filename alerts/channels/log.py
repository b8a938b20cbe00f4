"""Log channel: a notice becomes a line where the operators of hazwatch look."""

import structlog

from alerts.drill import is_drill, marked
from domain.alarms import Notice

log = structlog.get_logger(__name__)


class LogChannel:
    """Writes notices to the log; it never fails."""

    async def send(self, notice: Notice) -> None:
        """One line with the sentence that a person would read."""
        log.warning(
            "notice",
            action="notify",
            notice=str(notice.id),
            recipient=notice.recipient,
            colour=notice.body.get("colour"),
            role=notice.body.get("role"),
            text=marked(notice.body).get("text"),
            drill=is_drill(notice.body),
        )
