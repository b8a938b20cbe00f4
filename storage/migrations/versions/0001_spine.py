"""The spine: registry, samples, ledger, alarms, outbox, actions, notices, leases, people."""

from alembic import op

from storage.migrate import apply

revision = "0001"
down_revision = None


def upgrade() -> None:
    """From an empty database."""
    apply(op.get_bind(), revision)
