"""Who was told of hot work, and of alarms that the console leaves; whether it arrived."""

from alembic import op

from storage.migrate import apply

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    """A release before this one goes on working."""
    apply(op.get_bind(), revision)
