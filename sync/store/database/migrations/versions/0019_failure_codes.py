"""Why an account does not go on, as a code beside the reason."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"

work = sa.table(
    "provisioning",
    *(
        sa.column(f"{stuck}_{what}")
        for stuck, what in (("quarantine", "kind"), ("quarantine", "code"), ("waits", "for"), ("waits", "code"))
    ),
)


def upgrade() -> None:
    for stuck in ("quarantine", "waits"):
        op.add_column("provisioning", sa.Column(f"{stuck}_code", sa.Text()))
    op.execute(sa.update(work).where(work.c.quarantine_kind.is_not(None)).values(quarantine_code="person-needed"))
    op.execute(sa.update(work).where(work.c.waits_for.is_not(None)).values(waits_code="misconfigured"))


def downgrade() -> None:
    for stuck in ("waits", "quarantine"):
        op.drop_column("provisioning", f"{stuck}_code")
