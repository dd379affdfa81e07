"""How accounts look over the API. The attributes are those of `Account`: a new one is here by itself."""

from __future__ import annotations

from dataclasses import fields
from datetime import datetime
from typing import Any, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, create_model

from sync.domain.accounts.account import Account
from sync.domain.accounts.status import AccountStatus, Status
from sync.domain.logins.activity import LoginActivity
from sync.store.accounts.listing import Listed
from sync.store.audit.timeline import TimelineEntry
from sync.store.provisioning.work_state import WorkState
from sync.views.accounts.account import AccountView


class StatusShape(BaseModel):
    """What the person can do just now, and what is still to come."""

    status: Status
    note: str = Field(description="empty when there is nothing to add")


class LoginsShape(BaseModel):
    """What Keycloak's events tell. A time of null is not known, which is not the same as never."""

    first_login_at: datetime | None
    last_login_at: datetime | None
    last_used_at: datetime | None


class ProvisioningShape(BaseModel):
    """How far Keycloak has what is wanted. `reason` says what stops it, where something does."""

    state: str = Field(description="wanted, on-its-way, applied, held, quarantined or waiting")
    wanted_version: int
    applied_version: int | None
    reason: str | None


class WorkOrderShape(BaseModel):
    """An open work order that holds a change."""

    number: str


class TimelineShape(BaseModel):
    """One thing that happened to the account."""

    at: datetime
    kind: str
    title: str
    details: list[str]
    actor: str
    door: str
    reason: str


class _Account(BaseModel):
    model_config = ConfigDict(from_attributes=True)


_OWN: Any = {name: (hint, ...) for name, hint in get_type_hints(Account).items()}

AccountShape = create_model(
    "Account",
    __base__=_Account,
    __doc__="An account as it is wanted, and how far Keycloak has it.",
    **_OWN,
    version=(int | None, Field(description="the wanted version, which is the ETag too")),
    status=(StatusShape, ...),
    logins=(LoginsShape, ...),
    provisioning=(ProvisioningShape | None, ...),
)


class AccountPage(BaseModel):
    """`next` leads to the page after this one; null: this was the last."""

    items: list[AccountShape]
    next: str | None
    count: int | None = Field(description="how many there are on all pages, where count=true asked for it")


class OneAccount(AccountShape):
    """An account with what is only shown of one."""

    lockout: str = Field(description="until when Keycloak keeps the person out, and why; empty: it does not")
    held_work_orders: list[WorkOrderShape]


def of_row(row: Listed, now: datetime) -> dict[str, Any]:
    return _shape(row.account, row.status(now), row.activity, row.work)


def of_view(view: AccountView) -> dict[str, Any]:
    held = [{"number": each.number} for each in view.held_work_orders]
    shown = _shape(view.account, view.status, view.logins, view.work)
    return shown | {"lockout": view.lockout, "held_work_orders": held}


def of_entry(entry: TimelineEntry) -> dict[str, Any]:
    return {name: getattr(entry, name) for name in TimelineShape.model_fields}


def _shape(
    account: Account, status: AccountStatus, logins: LoginActivity, work: WorkState | None
) -> dict[str, Any]:
    own = {each.name: getattr(account, each.name) for each in fields(Account)}
    return own | {
        "version": None if work is None else work.wanted_version,
        "status": {"status": status.status, "note": status.note},
        "logins": {name: getattr(logins, name) for name in LoginsShape.model_fields},
        "provisioning": None if work is None else _provisioning(work),
    }


def _provisioning(work: WorkState) -> dict[str, Any]:
    state, reason = _state(work)
    return {
        "state": state,
        "wanted_version": work.wanted_version,
        "applied_version": work.applied_version,
        "reason": reason,
    }


def _state(work: WorkState) -> tuple[str, str | None]:
    if work.quarantine is not None:
        return "quarantined", work.quarantine[1]
    if work.held_work_orders:
        return "held", f"{len(work.held_work_orders)} open work orders"
    if work.applied:
        return "applied", None
    if work.waits is not None:
        return "waiting", work.waits[1]
    return ("wanted" if work.leased_until is None else "on-its-way"), None
