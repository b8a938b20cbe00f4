"""Which desks above the enterprise have looked at an occurrence."""

from alembic import op

from storage.migrate import apply

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    """A release before this one goes on working."""
    apply(op.get_bind(), revision)
