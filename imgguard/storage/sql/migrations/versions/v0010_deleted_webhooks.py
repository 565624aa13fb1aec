"""Webhooks that are gone, and whose messages are being deleted."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("webhooks", sa.Column("deleted_at", sa.DateTime(), nullable=True))
