"""Reports of plants by the time of their coming."""

from alembic import op

from storage.migrate import apply

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """One new index: a release before this one goes on working."""
    apply(op.get_bind(), revision)
