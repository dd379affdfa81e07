"""How accounts are printed: the list with its status, and one account with wanted, observed and timeline."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from itertools import islice

from sync.desk import Desk
from sync.domain.access.data_access import data_access_of
from sync.domain.access.scope import Scope
from sync.domain.accounts.account import Account
from sync.domain.accounts.change import stated_fields
from sync.domain.accounts.status import Observation, told
from sync.domain.logins.activity import LoginActivity
from sync.domain.logins.event_reading import Gap
from sync.entrypoints.cli.accounts.access_view import cells, given_access
from sync.entrypoints.cli.operations.ops_view import print_timeline
from sync.entrypoints.cli.terminal.output import (
    lines_wanted,
    print_json,
    print_json_list,
    print_table,
    say_more,
    screen,
    shown,
)
from sync.store.accounts.listing import Listed
from sync.store.accounts.query import AccountQuery
from sync.store.provisioning.work_state import WorkState
from sync.views.accounts.account import account_view
from sync.views.accounts.listing import count_accounts, every_account
from sync.views.accounts.look import what_differs

ON_SCREEN = 100
"""So many accounts are listed for people who name no limit."""

AT_ONCE = 1000
"""Accounts that are read in one transaction."""


def print_accounts(desk: Desk, query: AccountQuery, limit: int | None, *, as_json: bool, as_csv: bool) -> None:
    """`limit` None: a screenful for people, and all for programs. What is left out is said."""
    limit = lines_wanted(limit, ON_SCREEN, for_program=as_json or as_csv)
    found = islice(every_account(desk, Scope.all(), replace(query, limit=min(limit or AT_ONCE, AT_ONCE))), limit)
    now = desk.clock.now()
    listed = _print_json_accounts(found, now) if as_json else _print_account_lines(found, now, as_csv=as_csv)
    if listed == limit:
        with desk.db.read() as tx:
            total = count_accounts(tx, Scope.all(), query)
        if total > listed:
            say_more(listed, total)


def _print_json_accounts(found: Iterable[Listed], now: datetime) -> int:
    return print_json_list(
        asdict(row.account) | {"status": asdict(row.status(now)), "logins": asdict(row.activity)} for row in found
    )


def _print_account_lines(found: Iterable[Listed], now: datetime, *, as_csv: bool) -> int:
    rows = list(found)
    print_table(
        ["username", "name", "profile", "branch", "team", "technician", "last login (UTC)", "status"],
        [
            [
                row.account.username,
                row.account.full_name,
                row.account.profile,
                row.account.branch,
                row.account.team,
                row.account.technician_id,
                row.activity.last_login_at,
                row.status(now),
            ]
            for row in rows
        ],
        least=("technician", "last login (UTC)", "team", "branch"),
        as_csv=as_csv,
    )
    return len(rows)


def print_account(desk: Desk, account: Account, *, missed: str | None, as_json: bool) -> None:
    """Wanted and observed side by side, never mixed (rule: wanted-is-not-observed). `missed`: why what was
    observed is no look of now."""
    with desk.db.read() as tx:
        shown_account = account_view(tx, Scope.all(), account.id, desk.clock.now())
    seen, status = shown_account.observed, shown_account.status
    access = data_access_of(account, desk.policy)
    given = given_access(account, shown_account.assignments, desk.policy)
    differs = None if seen is None else what_differs(account, desk.policy, seen)
    if as_json:
        print_json(
            {
                "account": account,
                "status": status,
                "work": shown_account.work,
                "observed": seen,
                "not_looked_at_now": missed,
                "logins": shown_account.logins,
                "logins_may_be_missing": shown_account.logins_may_be_missing,
                "differs": differs,
                "data_access": access and {"asked": access.asked.key, "effective": access.effective.key},
                "deactivation": shown_account.deactivation,
                "acts": shown_account.acts,
                "mails_come_back": shown_account.bounce,
                "access": given,
                "assignments": shown_account.assignments,
                "timeline": shown_account.timeline,
            }
        )
        return
    own = desk.policy.attributes
    screen.line(f"{account.full_name}  {status}", bold=True)
    print_table(
        ["wanted", ""],
        [
            [own[name].title if name in own else name.replace("_", " "), value]
            for name, value in stated_fields(account).items()
            if value is not None
        ],
    )
    bounce = shown_account.bounce
    if bounce is not None:
        screen.marked(
            "!",
            "yellow",
            f"mails to {account.email} come back since {shown(bounce.at)} UTC: {bounce.reason}; none goes there",
        )
    print_table(["access", "", "since (UTC)", "who and why"], [cells(each) for each in given if each.value])
    _print_observed(seen, differs, missed)
    if shown_account.work is not None:
        _print_stuck(shown_account.work)
    _print_logins(shown_account.logins, shown_account.logins_may_be_missing)
    request = shown_account.deactivation
    if request is not None:
        print_table(
            ["deactivation" if request.change is None else "change without the technician", ""],
            [
                ["policy", request.policy],
                ["asked for by", request.by],
                ["asked for at", request.requested_at],
                ["deadline", request.deadline],
                *[["open work order", order] for order in shown_account.held_work_orders],
            ],
        )
    if shown_account.acts:
        print_table(
            ["waits", "since (UTC)", "goes at (UTC)", "state", "who and why", "last try"],
            [
                [
                    each.kind,
                    each.requested_at,
                    each.due_at,
                    each.state,
                    each.by,
                    each.outcome,
                ]
                for each in shown_account.acts
            ],
        )
    print_timeline(shown_account.timeline, title="Timeline")


def _print_logins(activity: LoginActivity, missed: tuple[Gap, ...]) -> None:
    """Unknown is not never: where events may be missing, "never" would be a guess."""
    nothing = "never" if not missed else "not known"
    rows: list[list[object]] = [
        ["first login", activity.first_login_at or nothing],
        ["last login", activity.last_login_at or nothing],
        ["last used", activity.last_used_at or nothing],
        ["failed attempts since", activity.failures],
        ["last failed attempt", activity.last_failure_at],
    ]
    for gap in missed:
        between = f"between {shown(gap.begins)} and {shown(gap.ends)}: {gap.reason}"
        rows.append(["may have missed logins", between])
    print_table(["logins (UTC)", ""], rows)


def _print_observed(seen: Observation | None, differs: Sequence[str] | None, missed: str | None) -> None:
    if seen is None:
        screen.line("Keycloak: nothing was seen yet")
    else:
        rows: list[list[object]] = [
            ["seen at (UTC)", seen.observed_at],
            ["enabled", "yes" if seen.enabled else "no"],
            ["locked", _lock(seen)],
            ["has to do", ", ".join(sorted(seen.required_actions))],
            ["groups", "\n".join(sorted(seen.groups))],
        ]
        if seen.sessions is not None:
            rows.append(["sessions", seen.sessions.online])
            rows.append(["offline tokens of", ", ".join(sorted(seen.sessions.offline_clients))])
        print_table(["observed", ""], rows)
    if differs is not None:
        made = "made in Keycloak as wanted; nobody has looked since, the next comparison does"
        as_wanted = "Keycloak is as wanted (names and addresses are not kept of a look; drift compare reads them)"
        same = made if seen is not None and seen.as_sent else as_wanted
        screen.line("differs: " + "; ".join(differs) if differs else same)
    if missed is not None:
        when = "" if seen is None else f"as of {seen.observed_at:%Y-%m-%d %H:%M} UTC; "
        screen.marked("!", "yellow", f"{when}{missed}")


def _print_stuck(work: WorkState) -> None:
    """Why the account is not as wanted and nobody goes on with it, or what it waits for."""
    if work.waits is not None:
        screen.marked("waits", "yellow", f"for {work.waits[0]}: {work.waits[1]}")
    if work.quarantine is not None:
        kind, reason = work.quarantine
        screen.marked("in quarantine", "red", f"({kind}): {reason}")
        if work.differences:
            print_table(
                ["could not be made", "wanted", "found"],
                [[each.what, each.wanted, each.found] for each in work.differences],
            )


def _lock(seen: Observation) -> str:
    if seen.lock is None:
        return "not looked at"
    return told(seen.lock) or "no"
