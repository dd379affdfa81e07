"""/accounts: create and change. The commands are those of the command line; the workers carry it to Keycloak."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Response

from sync.commands.accounts.change import change_account, create_account
from sync.commands.accounts.initial_password import InitialPassword, generate
from sync.commands.accounts.technician_record import require_technician
from sync.desk import Desk
from sync.domain.accounts.change import AccountChange
from sync.domain.errors import NotFound, Problem, Refused
from sync.entrypoints.web.caller import administered
from sync.entrypoints.web.rest.accounts.content import ChangedContent, NewContent
from sync.entrypoints.web.rest.accounts.refusals import refusals_told
from sync.entrypoints.web.rest.accounts.shapes import OneAccount
from sync.entrypoints.web.rest.accounts.shown import shown
from sync.entrypoints.web.rest.accounts.target import WithVersion
from sync.entrypoints.web.rest.because import cause
from sync.entrypoints.web.rest.parts import By, Nothing, With

router = APIRouter(prefix="/accounts", tags=["accounts"])


@router.post("", status_code=201, response_model=OneAccount)
def create(parts: With, by: By, _: Nothing, content: NewContent, response: Response) -> dict[str, Any]:
    """Store a new account, with a temporary password by mail. `provisioning` says how far Keycloak has it."""
    scope, desk = administered(by), parts.desk()
    new, wrong = content.wanted(desk.policy)
    with refusals_told(by, content.attributes):
        account = create_account(
            desk,
            new,
            cause(by, content),
            InitialPassword(generate(), "mail"),
            even_if_similar=content.even_if_similar,
            also=wrong,
            sees=scope,
        )
    response.headers["Location"] = f"/api/v1/accounts/{account.id}"
    return shown(parts, by, account.id, response)


@router.patch("/{account_id}", response_model=OneAccount)
def change(
    parts: With, by: By, _: Nothing, seen: WithVersion, content: ChangedContent, response: Response
) -> dict[str, Any]:
    """Change what is named; everything else stays."""
    desk, before = parts.desk(), seen.account
    wanted, wrong = content.wanted(desk.policy)
    if wanted == AccountChange() and not wrong:
        nothing = Problem("", "nothing to change was named", "name a field of the account beside the reason")
        raise Refused([nothing])
    if wanted.technician_id not in (AccountChange().technician_id, None, before.technician_id):
        wrong = (*wrong, *_unknown(desk, str(wanted.technician_id)))
    with seen.compared(), refusals_told(by, content.attributes):
        change_account(
            desk, before.id, wanted, cause(by, content), content.policy, also=wrong, version=seen.version
        )
    return shown(parts, by, before.id, response)


def _unknown(desk: Desk, technician_id: str) -> tuple[Problem, ...]:
    try:
        require_technician(desk, technician_id)
    except NotFound as refused:
        return tuple(Problem("technician_id", each.reason, each.remedy) for each in refused.problems)
    return ()
