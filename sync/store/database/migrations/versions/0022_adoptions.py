"""Runs that a worker has yet to plan, and letting go of an adopted user as an act."""

from __future__ import annotations

from alembic import op

revision = "0022"
down_revision = "0021"

STATES = ("reviewed", "held", "confirmed", "applying", "paused", "done", "cancelled", "refused")
KINDS = (
    "reset-password",
    "set-password-mail",
    "require-password-change",
    "unlock",
    "end-sessions",
    "reset-second-factor",
    "expire-password",
)


def upgrade() -> None:
    _states(("asked", *STATES))
    _check("act", "kind", (*KINDS[:-1], "release-user", KINDS[-1]))


def downgrade() -> None:
    op.execute("DELETE FROM act WHERE kind = 'release-user'")
    op.execute("DELETE FROM run WHERE state = 'asked'")
    _check("act", "kind", KINDS)
    _states(STATES)


def _states(states: tuple[str, ...]) -> None:
    """SQLite changes no check. The rows refer to their run, so they are put aside while it is made anew."""
    if op.get_bind().dialect.name != "sqlite":
        _check("run", "state", states)
        return
    op.execute("CREATE TABLE kept_run_row AS SELECT * FROM run_row")
    op.execute("DELETE FROM run_row")
    _check("run", "state", states)
    op.execute("INSERT INTO run_row SELECT * FROM kept_run_row")
    op.drop_table("kept_run_row")


def _check(table: str, column: str, values: tuple[str, ...]) -> None:
    name = op.f(f"ck_{table}_{column}")
    listed = ", ".join(f"'{value}'" for value in values)
    with op.batch_alter_table(table) as changed:
        changed.drop_constraint(name, type_="check")
        changed.create_check_constraint(name, f"{column} IN ({listed})")
