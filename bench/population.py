"""A database as it is after years: many accounts at rest, their mails sent, their logins known, and a few due.

Made by SQL alone, in one statement a table, so that a million accounts take about a minute.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, text

from sync.store.database.engine import make_engine

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
QUARANTINED_EVERY = 1000
STATE = (
    '{"enabled": true, "groups": ["/fsm/branches/hamburg", "/fsm/profiles/dispatcher"], "roles": [], '
    '"required_actions": [], "lock": {"temporary": false, "permanent": false, "failures": 0}, '
    '"administers_realm": false, "sessions": null}'
)
NUMBERS = {
    "sqlite": "WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {count}) ",
    "postgresql": "WITH n AS (SELECT generate_series(1, {count}) AS n) ",
}
KEY = {"sqlite": "printf('%032d', n)", "postgresql": "lpad(CAST(n AS text), 32, '0')"}


def fill(url: str, accounts: int, due: int) -> None:
    """Accounts of which `due` are due in the bulk lane, one of a thousand is in quarantine, and the rest has
    nothing to do. The tables of this version are there and empty."""
    engine = make_engine(url)
    with engine.begin() as connection:
        _fill(connection, accounts, due)
    with engine.begin() as connection:
        connection.exec_driver_sql("ANALYZE")
    engine.dispose()


def _fill(connection: Connection, accounts: int, due: int) -> None:
    dialect = connection.dialect.name
    numbers, key = NUMBERS[dialect].format(count=accounts), KEY[dialect]
    values = {
        "now": NOW if dialect == "postgresql" else _sqlite(NOW),
        "soon": NOW - timedelta(minutes=5) if dialect == "postgresql" else _sqlite(NOW - timedelta(minutes=5)),
        "state": STATE,
    }
    quarantined = f"n % {QUARANTINED_EVERY} = 0"
    is_due = f"n % {max(accounts // due, 1)} = 1"
    tables = {
        "account": {
            "id": key,
            "idp_user_id": key,
            "username": f"'person' || {key} || '@example.com'",
            "username_key": f"'person' || {key} || '@example.com'",
            "email": f"'person' || {key} || '@example.com'",
            "email_local": f"'person' || {key}",
            "given_name": "'Pat'",
            "family_name": f"'Number ' || {key}",
            "name_key": f"'number pat ' || {key}",
            "search_text": f"'person' || {key} || '@example.com pat number'",
            "profile": "CASE WHEN n % 3 = 0 THEN 'technician' ELSE 'dispatcher' END",
            "branch": "CASE WHEN n % 2 = 0 THEN 'hamburg' ELSE 'berlin' END",
            "employee_number": key,
            "technician_id": f"CASE WHEN n % 3 = 0 THEN 'T-' || {key} END",
            "life": "'active'",
            "created_at": ":now",
        },
        "login_name": {"key": f"'person' || {key} || '@example.com'", "account_id": key},
        "provisioning": {
            "account_id": key,
            "wanted_version": "1",
            "applied_version": "1",
            "lane": "'bulk'",
            "due_at": f"CASE WHEN {is_due} AND NOT {quarantined} THEN :soon END",
            "asked": "1",
            "attempts": "0",
            "quarantine_kind": f"CASE WHEN {quarantined} THEN 'conflict' END",
            "quarantine_reason": f"CASE WHEN {quarantined} THEN 'somebody else has the name' END",
            "updated_at": ":now",
        },
        "observation": {"account_id": key, "observed_at": ":now", "state": ":state"},
        "login_activity": {
            "idp_user_id": key,
            "first_login_at": ":now",
            "last_login_at": ":now",
            "last_used_at": ":now",
            "failures": "0",
        },
        "attempt": {
            "id": key,
            "account_id": key,
            "version": "1",
            "at": ":now",
            "lane": "'bulk'",
            "outcome": "'applied'",
            "changes": "'[\"create\"]'",
        },
        "mail": {
            "id": key,
            "account_id": key,
            "kind": "'welcome'",
            "recipient": f"'person' || {key} || '@example.com'",
            "state": "'sent'",
            "message_id": f"{key} || '@fsm-identity'",
            "created_at": ":now",
            "attempts": "1",
            "finished_at": ":now",
            "expires_at": ":now",
        },
    }
    casts = (
        {
            ":now": "CAST(:now AS timestamptz)",
            ":soon": "CAST(:soon AS timestamptz)",
            ":state": "CAST(:state AS json)",
        }
        if dialect == "postgresql"
        else {}
    )
    for table, columns in tables.items():
        chosen = ", ".join(columns.values())
        for name, cast in casts.items():
            chosen = chosen.replace(name, cast)
        if dialect == "postgresql":
            chosen = chosen.replace("'[\"create\"]'", "CAST('[\"create\"]' AS json)")
        statement = f"{numbers}SELECT {chosen} FROM n"
        used = {name: value for name, value in values.items() if f":{name}" in chosen}
        insert = f"INSERT INTO {table} ({', '.join(columns)}) {statement}"
        connection.execute(text(insert), used)


def _sqlite(moment: datetime) -> str:
    return moment.replace(tzinfo=None).isoformat(sep=" ", timespec="microseconds")
