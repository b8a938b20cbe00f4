"""Who is told: people, rosters, attempts."""

from alembic import op

from storage.migrate import apply

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """A release before this one goes on working."""
    apply(op.get_bind(), revision)
