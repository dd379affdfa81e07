"""/accounts: create and change. The commands are those of the command line; the workers carry it to Keycloak."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Response

from sync.commands.accounts.change import Changed, change_account, create_account
from sync.commands.accounts.initial_password import InitialPassword, generate
from sync.commands.accounts.technician_record import require_technician
from sync.commands.perform import rehearsed
from sync.desk import Desk
from sync.domain.accounts.account import Account
from sync.domain.accounts.change import UNSET, AccountChange
from sync.domain.errors import NotFound, Problem, Refused
from sync.entrypoints.web.caller import administered
from sync.entrypoints.web.rest.because import cause
from sync.entrypoints.web.rest.parts import By, With
from sync.entrypoints.web.rest.rehearsal import Rehearsing
from sync.entrypoints.web.rest.resources.accounts.content import ChangedContent, NewContent
from sync.entrypoints.web.rest.resources.accounts.refusals import refusals_told
from sync.entrypoints.web.rest.resources.accounts.shapes import OneAccount, of_view
from sync.entrypoints.web.rest.resources.accounts.shown import after, shown
from sync.entrypoints.web.rest.resources.accounts.target import WithVersion
from sync.store.database.transactions import Tx
from sync.views.accounts.account import account_view
from sync.views.accounts.find import with_login

router = APIRouter(prefix="/accounts", tags=["accounts"])


@router.post(
    "",
    status_code=201,
    response_model=OneAccount,
    responses={200: {"description": "dry_run: the account as it would be, without an id", "model": OneAccount}},
)
def create(parts: With, by: By, query: Rehearsing, content: NewContent, response: Response) -> dict[str, Any]:
    """Store a new account, with a temporary password by mail. `provisioning` says how far Keycloak has it."""
    scope, desk, now = administered(by), parts.desk(), parts.clock.now()
    new, wrong = content.wanted(desk.policy)

    def command(on: Desk) -> Account:
        return create_account(
            on,
            new,
            cause(by, content),
            InitialPassword(generate(), "mail"),
            even_if_similar=content.even_if_similar,
            also=wrong,
            sees=scope,
        )

    def look(tx: Tx) -> dict[str, Any]:
        made = with_login(tx, scope, new.account("", now).username)
        return of_view(account_view(tx, scope, made.id, now)) | {"id": ""}

    with refusals_told(by, content.attributes):
        if query.dry_run:
            response.status_code = 200
            return rehearsed(desk, command, look)
        account = command(desk)
    response.headers["Location"] = f"/api/v1/accounts/{account.id}"
    return shown(parts, by, account.id, response)


@router.patch("/{account_id}", response_model=OneAccount)
def change(
    parts: With, by: By, query: Rehearsing, seen: WithVersion, content: ChangedContent, response: Response
) -> dict[str, Any]:
    """Change what is named; everything else stays."""
    desk, before = parts.desk(), seen.account
    wanted, wrong = content.wanted(desk.policy)
    if wanted == AccountChange() and not wrong:
        nothing = Problem("", "nothing to change was named", "name a field of the account beside the reason")
        raise Refused([nothing])
    if wanted.technician_id not in (UNSET, None, before.technician_id):
        wrong = (*wrong, *_unknown(desk, str(wanted.technician_id)))

    def command(on: Desk) -> Changed:
        by_whom = cause(by, content)
        return change_account(on, before.id, wanted, by_whom, content.policy, also=wrong, version=seen.version)

    return after(parts, by, seen, command, response, dry_run=query.dry_run, attributes=content.attributes)


def _unknown(desk: Desk, technician_id: str) -> tuple[Problem, ...]:
    try:
        require_technician(desk, technician_id)
    except NotFound as refused:
        return tuple(Problem("technician_id", each.reason, each.remedy) for each in refused.problems)
    return ()
