"""Models of groups of tags that move together, and what people decided about them."""

from alembic import op

from storage.migrate import apply

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """New tables only: a release before this one goes on working."""
    apply(op.get_bind(), revision)
