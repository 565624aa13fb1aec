"""Since when the bytes of a query are kept: what an erasure may take with it depends on it."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_FROM_FINDINGS = """
    UPDATE queries SET kept_since = COALESCE(
        (SELECT MIN(created_at) FROM findings WHERE findings.query_sha256 = queries.query_sha256), expires_at
    )
"""


def upgrade() -> None:
    op.add_column("queries", sa.Column("kept_since", sa.DateTime(), nullable=True))
    op.execute(_FROM_FINDINGS)
    with op.batch_alter_table("queries") as table:
        table.alter_column("kept_since", existing_type=sa.DateTime(), nullable=False)
