"""Inventory of hazard sources, as it was last told."""

from alembic import op

from storage.migrate import apply

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """One new table: a release before this one goes on working."""
    apply(op.get_bind(), revision)
