"""What an original says of its own making: Content Credentials, read when it is registered."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("contents", sa.Column("credentials", sa.Text(), nullable=True))
