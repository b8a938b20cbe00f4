"""Risk of sources, warning cases, their journal and ladders."""

from alembic import op

from storage.migrate import apply

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Tables are new, columns are nullable: a release before this one goes on working."""
    apply(op.get_bind(), revision)
