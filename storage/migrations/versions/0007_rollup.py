"""Roll-ups of samples."""

from alembic import op

from storage.migrate import apply

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """New tables only: a release before this one goes on working."""
    apply(op.get_bind(), revision)
