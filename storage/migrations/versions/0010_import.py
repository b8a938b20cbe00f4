"""Files of history that were imported, and how far."""

from alembic import op

from storage.migrate import apply

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """New tables only: a release before this one goes on working."""
    apply(op.get_bind(), revision)
