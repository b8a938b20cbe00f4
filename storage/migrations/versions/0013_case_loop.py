"""The loop of a warning case: handling, feedback, review."""

from alembic import op

from storage.migrate import apply

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """A release before this one goes on working."""
    apply(op.get_bind(), revision)
