"""The whole machine of ISA-18.2 alarms: latches, flags, policies."""

from alembic import op

from storage.migrate import apply

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """A release before this one goes on working."""
    apply(op.get_bind(), revision)
