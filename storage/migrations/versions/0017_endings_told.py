"""Notices of rises, falls and closings without a rung are found by their case."""

from alembic import op

from storage.migrate import apply

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    """A release before this one goes on working."""
    apply(op.get_bind(), revision)
