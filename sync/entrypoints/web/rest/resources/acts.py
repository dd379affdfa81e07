"""Acts on an account, each carried out once by a worker: passwords, lockouts, sessions, second factors (C1-C3, C6,
D6). 202 says that it is stored; the act says what became of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, Literal, TypeAlias

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from sync.commands import acts
from sync.commands.accounts.initial_password import InitialPassword, generate
from sync.commands.perform import perform
from sync.desk import Desk
from sync.domain.access.cause import Cause
from sync.domain.acts import Act, ActKind, ActState
from sync.domain.errors import Problem, Refused
from sync.domain.work.lane import Lane
from sync.entrypoints.web.caller import administered
from sync.entrypoints.web.rest.because import Because, Text, cause
from sync.entrypoints.web.rest.parts import By, Nothing, With
from sync.entrypoints.web.rest.resources.accounts.target import Target
from sync.store.database.transactions import Tx
from sync.views.accounts.find import within
from sync.views.accounts.settling import act_state

router = APIRouter(tags=["acts"])


class Asked(StrEnum):
    """What may be asked for."""

    RESET_PASSWORD = ActKind.RESET_PASSWORD.value
    SET_PASSWORD_MAIL = ActKind.SET_PASSWORD_MAIL.value
    REQUIRE_PASSWORD_CHANGE = ActKind.REQUIRE_PASSWORD_CHANGE.value
    UNLOCK = ActKind.UNLOCK.value
    END_SESSIONS = ActKind.END_SESSIONS.value
    RESET_SECOND_FACTOR = ActKind.RESET_SECOND_FACTOR.value


class ActContent(Because):
    """`kind` says what; the others belong to one kind or two, and are refused with any other."""

    kind: Asked
    delivery: Literal["mail", "shown"] = Field(
        default="mail", description="reset-password: by mail, or shown once to who asked, at /acts/{id}/secret"
    )
    keep_sessions: bool = Field(
        default=False, description="reset-password, reset-second-factor: leave sessions and offline tokens alone"
    )
    identity_check: Text | None = Field(
        default=None, max_length=1000, description="reset-second-factor: how it was made sure who is asking"
    )

    def refuse_strangers(self) -> None:
        """Raises Refused for what does not belong to the kind: nobody thinks that it was heeded."""
        strangers = self.model_fields_set - {"kind", "reason"} - _BELONGS.get(self.kind, frozenset())
        if strangers:
            raise Refused(
                [Problem(each, f"does not belong to {self.kind}", "leave it out") for each in sorted(strangers)]
            )


_BELONGS: Final[Mapping[Asked, frozenset[str]]] = {
    Asked.RESET_PASSWORD: frozenset({"delivery", "keep_sessions"}),
    Asked.RESET_SECOND_FACTOR: frozenset({"identity_check", "keep_sessions"}),
}

Ask: TypeAlias = Callable[[Tx, Desk, str, ActContent, Cause], Act]


def _reset_password(tx: Tx, desk: Desk, account_id: str, content: ActContent, by: Cause) -> Act:
    password = InitialPassword(generate(), content.delivery)
    return acts.reset_password(
        tx, desk.policy, account_id, password, by, desk.clock.now(), keep_sessions=content.keep_sessions
    )


def _reset_second_factor(tx: Tx, desk: Desk, account_id: str, content: ActContent, by: Cause) -> Act:
    check = content.identity_check or ""
    return acts.reset_second_factor(
        tx, desk.policy, account_id, check, by, desk.clock.now(), keep_sessions=content.keep_sessions
    )


def _plain(act: Callable[..., Act]) -> Ask:
    """An act that needs to know no more than whose it is."""
    return lambda tx, desk, account_id, _, by: act(tx, desk.policy, account_id, by, desk.clock.now())


_ASK: Final[Mapping[Asked, Ask]] = {
    Asked.RESET_PASSWORD: _reset_password,
    Asked.SET_PASSWORD_MAIL: _plain(acts.send_password_mail),
    Asked.REQUIRE_PASSWORD_CHANGE: _plain(acts.require_password_change),
    Asked.UNLOCK: _plain(acts.unlock),
    Asked.END_SESSIONS: _plain(acts.end_sessions),
    Asked.RESET_SECOND_FACTOR: _reset_second_factor,
}


class ActShape(BaseModel):
    """One act. `outcome` says how it ended, or why it has not yet."""

    id: str
    account_id: str
    kind: ActKind
    state: ActState
    requested_at: datetime
    requested_by: str
    door: str
    reason: str
    keep_sessions: bool
    by_mail: bool
    identity_check: str | None
    started_at: datetime | None
    finished_at: datetime | None
    outcome: str | None


class Secret(BaseModel):
    """It must be changed at the next login, and is good until its time is up."""

    username: str
    temporary_password: str


@router.post("/accounts/{account_id}/acts", status_code=202, response_model=ActShape)
def ask(
    parts: With, by: By, _: Nothing, target: Target, content: ActContent, response: Response
) -> dict[str, Any]:
    """Ask for one act; Location leads to what becomes of it."""
    content.refuse_strangers()
    desk, asked_by = parts.desk(), cause(by, content)
    act = perform(
        desk,
        lambda tx: _ASK[content.kind](tx, desk, target.id, content, asked_by),
        wakes=Lane.INTERACTIVE,
    )
    response.headers["Location"] = f"/api/v1/acts/{act.id}"
    return _shape(act)


@router.get("/acts/{act_id}", response_model=ActShape)
def show(parts: With, by: By, _: Nothing, act_id: str) -> dict[str, Any]:
    """An act as it is now."""
    with parts.database.read() as tx:
        return _shape(act_state(tx, administered(by), act_id))


@router.post("/acts/{act_id}/secret", response_model=Secret)
def secret(parts: With, by: By, _: Nothing, act_id: str, because: Because, response: Response) -> dict[str, str]:
    """The temporary password of a reset that is shown: once, to who asked for it, for 15 minutes from when it is
    in place. Then it is erased here."""
    scope = administered(by)
    with parts.database.read() as tx:
        account = within(tx, scope, act_state(tx, scope, act_id).account_id)
    desk, asked_by = parts.desk(), cause(by, because)
    password = perform(
        desk, lambda tx: acts.take_password_of(tx, desk.policy, act_id, asked_by, desk.clock.now()), wakes=None
    )
    response.headers["Cache-Control"] = "no-store"
    return {"username": account.username, "temporary_password": password}


def _shape(act: Act) -> dict[str, Any]:
    said = {"requested_by": act.by.name, "door": act.by.way, "reason": act.by.reason}
    return said | {name: getattr(act, name) for name in ActShape.model_fields if name not in said}
