"""Cheaper writing: tag_latest may be behind, and the index by received_at is a small one."""

from alembic import op

from storage.migrate import apply

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """A new table, and another kind of index: a release before this one goes on working."""
    apply(op.get_bind(), revision)
