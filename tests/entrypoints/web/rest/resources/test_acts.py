"""Acts on accounts over the API: asked for, looked at, and a password handed over once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from sync.domain.acts import ActState
from sync.domain.work.lane import Lane
from sync.store import acts
from tests.claiming import still_claimed
from tests.entrypoints.web.rest.asking import ask
from tests.entrypoints.web.rest.conftest import Company, problem


def carried_out(firm: Company, act_id: str, at: datetime) -> None:
    """As a worker leaves it."""
    with firm.db.write() as tx:
        act = acts.get(tx, act_id)
        assert act is not None
        claimed = still_claimed(act.account_id)
        acts.erase_not_shown(tx, claimed)
        shown = not act.by_mail
        assert acts.finish(tx, claimed, act_id, ActState.DONE, "it is in place", at, to_be_shown=shown)


@pytest.mark.req("C3")
@pytest.mark.parametrize(
    "content",
    [
        {"kind": "reset-password", "delivery": "shown", "keep_sessions": True},
        {"kind": "reset-password"},
        {"kind": "set-password-mail"},
        {"kind": "require-password-change"},
        {"kind": "unlock"},
        {"kind": "end-sessions"},
        {"kind": "reset-second-factor", "identity_check": "called back"},
    ],
    ids=lambda content: "-".join(map(str, content.values())),
)
def test_each_act_is_stored_and_can_be_followed(
    firm: Company, woken: list[Lane], content: dict[str, str | bool]
) -> None:
    """202 with where it is; no password is in any answer, and the history has who and why."""
    local, ada = firm.branch_administrator("local", "hamburg"), firm.join("ada")
    asked = ask(firm, "POST", f"/accounts/{ada.id}/acts", local, reason="on the telephone", **content)
    assert asked.status_code == 202, asked.text
    body = asked.json()
    assert asked.headers["Location"] == f"/api/v1/acts/{body['id']}"
    assert (body["kind"], body["state"], body["account_id"], body["door"]) == (
        content["kind"],
        "waiting",
        ada.id,
        "rest",
    )
    assert firm.get(f"/acts/{body['id']}", local).json() == body
    assert body["keep_sessions"] is content.get("keep_sessions", False)
    assert woken == [Lane.INTERACTIVE]
    told = [
        each for each in firm.get(f"/accounts/{ada.id}/timeline", local).json() if each["title"] == content["kind"]
    ]
    assert {(each["actor"], each["reason"]) for each in told} == {("local@example.com", "on the telephone")}
    assert problem(firm.get(f"/acts/{body['id']}", firm.branch_administrator("far", "berlin"))) == (
        404,
        "not-found",
    )


@pytest.mark.req("C6")
def test_what_does_not_belong_to_an_act_is_refused_by_name(firm: Company, woken: list[Lane]) -> None:
    """Nothing is done then, nor without a check of who asks, nor on an account of another branch."""
    local, ada = firm.branch_administrator("local", "hamburg"), firm.join("ada")
    there, path = firm.join("there", branch="berlin"), f"/accounts/{ada.id}/acts"
    strange = ask(firm, "POST", path, local, kind="unlock", keep_sessions=False, delivery="mail", reason="x")
    assert problem(strange) == (422, "refused")
    assert [each["pointer"] for each in strange.json()["errors"]] == ["/delivery", "/keep_sessions"]
    unchecked = ask(firm, "POST", path, local, kind="reset-second-factor", reason="x")
    assert problem(unchecked) == (422, "refused")
    for kind in ("release-user", "expire-password", "delete"):
        assert problem(ask(firm, "POST", path, local, kind=kind, reason="x")) == (422, "bad-content")
    assert problem(ask(firm, "POST", f"/accounts/{there.id}/acts", local, colour="red")) == (404, "not-found")
    own = ask(
        firm,
        "POST",
        f"/accounts/{local.id}/acts",
        local,
        kind="reset-second-factor",
        identity_check="me",
        reason="x",
    )
    assert problem(own) == (403, "not-allowed")
    with firm.db.read() as tx:
        assert acts.of_account(tx, ada.id) == ()
    assert woken == []


@pytest.mark.req("C1")
def test_a_temporary_password_is_handed_over_once_and_to_who_asked(firm: Company) -> None:
    """Not before it is in place, not to another administrator, and not twice."""
    root, other, ada = firm.administrator(), firm.administrator("other"), firm.join("ada")
    asked = ask(
        firm, "POST", f"/accounts/{ada.id}/acts", root, kind="reset-password", delivery="shown", reason="x"
    )
    path = f"/acts/{asked.json()['id']}"
    early = ask(firm, "POST", f"{path}/secret", root, reason="on the telephone")
    assert problem(early) == (422, "refused")
    carried_out(firm, asked.json()["id"], datetime.now(UTC))
    assert firm.get(path, root).json()["state"] == "done"
    assert problem(ask(firm, "POST", f"{path}/secret", other, reason="curious")) == (403, "not-allowed")
    given = ask(firm, "POST", f"{path}/secret", root, reason="on the telephone")
    assert given.status_code == 200, given.text
    assert given.headers["Cache-Control"] == "no-store"
    password = given.json()["temporary_password"]
    assert (given.json()["username"], len(password)) == ("ada@example.com", 29)
    assert problem(ask(firm, "POST", f"{path}/secret", root, reason="again")) == (422, "refused")
    assert password not in firm.get(f"/accounts/{ada.id}/timeline", root).text


@pytest.mark.req("C1")
def test_a_password_that_nobody_fetched_is_gone(firm: Company) -> None:
    """After 15 minutes, once a newer reset was asked for, and of one that goes by mail."""
    root, ada = firm.administrator(), firm.join("ada")

    def reset(delivery: str, minutes: int) -> str:
        content = {"kind": "reset-password", "delivery": delivery, "reason": "x"}
        act_id = str(ask(firm, "POST", f"/accounts/{ada.id}/acts", root, **content).json()["id"])
        carried_out(firm, act_id, datetime.now(UTC) - timedelta(minutes=minutes))
        return act_id

    def refused(act_id: str) -> bool:
        return problem(ask(firm, "POST", f"/acts/{act_id}/secret", root, reason="x")) == (422, "refused")

    assert refused(reset("shown", 16))
    older = reset("shown", 0)
    newer = reset("shown", 14)
    assert refused(older)
    assert ask(firm, "POST", f"/acts/{newer}/secret", root, reason="x").status_code == 200
    assert refused(reset("mail", 0))
