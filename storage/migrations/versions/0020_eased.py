"""By which operating mode an occurrence began with less priority than it has outside it."""

from alembic import op

from storage.migrate import apply

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    """A release before this one goes on working."""
    apply(op.get_bind(), revision)
