"""What is said of desks and beside their alarms."""

from alembic import op

from storage.migrate import apply

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    """A release before this one goes on working."""
    apply(op.get_bind(), revision)
