"""Rows of an import, and the accounts they may be about, for the tests of the import plan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import mappings
from sync.domain.accounts.account import Account, Life
from sync.domain.imports.match import World
from sync.domain.imports.plan import ImportPlan, plan_import
from sync.domain.imports.row import Cell, ImportRow
from sync.domain.imports.verdict import PlannedRow

POLICY = mappings.load()


THEN = datetime(2026, 1, 1, tzinfo=UTC)


COLUMNS = (
    "employee_number", "given_name", "family_name", "email", "profile", "branch", "team", "data_access",
    "technician_id", "valid_from", "username", "full_name",
)  # fmt: skip


def row(number: int, texts: Mapping[str, str], order: tuple[str, ...] = COLUMNS) -> ImportRow:
    """A row whose columns stand in the order given, addressed accordingly."""
    return ImportRow(
        number,
        {
            field: Cell(f"{chr(65 + order.index(field))}{number}", texts[field])
            for field in order
            if field in texts
        },
    )


def account(number: int = 1, **values: Any) -> Account:
    """Anna's account, as her row would create it."""
    return replace(
        Account(
            id=f"id-{number}",
            username="anna.muster@example.com",
            email="anna.muster@example.com",
            given_name="Anna",
            family_name="Muster",
            profile="dispatcher",
            branch="hamburg",
            team=None,
            data_access=None,
            technician_id=None,
            employee_number="00123",
            life=Life.ACTIVE,
            created_at=THEN,
        ),
        **values,
    )


def world(*accounts: Account, technicians: frozenset[str] | None = None) -> World:
    return World({each.id: each for each in accounts}, {each.id: 3 for each in accounts}, technicians)


def plan(*rows: ImportRow, known: World | None = None) -> ImportPlan:
    return plan_import(rows, known or world(), POLICY)


def only(*rows: ImportRow, known: World | None = None) -> PlannedRow:
    return plan(*rows, known=known).rows[-1]


def said(planned: PlannedRow) -> str:
    return "\n".join(str(finding) for finding in (*planned.errors, *planned.warnings))
