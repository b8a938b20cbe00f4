"""Management inputs: commitments, duties, hidden hazards, special work, modes, permits, reports."""

from alembic import op

from storage.migrate import apply

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Tables are new: a release before this one goes on working."""
    apply(op.get_bind(), revision)
