"""Who was told that a red is verified 核实, and whether it arrived."""

from alembic import op

from storage.migrate import apply

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    """A release before this one goes on working."""
    apply(op.get_bind(), revision)
