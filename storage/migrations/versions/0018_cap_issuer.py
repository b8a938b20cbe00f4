"""Under which name and in which zone CAP messages have been issued, since when."""

from alembic import op

from storage.migrate import apply

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    """A release before this one goes on working."""
    apply(op.get_bind(), revision)
