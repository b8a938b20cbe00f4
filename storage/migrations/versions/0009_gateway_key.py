"""Keys by which gateways send over HTTP."""

from alembic import op

from storage.migrate import apply

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """New tables only: a release before this one goes on working."""
    apply(op.get_bind(), revision)
