"""The gap ledger: what is missing, and what filled it."""

from alembic import op

from storage.migrate import apply

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """New tables only: a release before this one goes on working."""
    apply(op.get_bind(), revision)
