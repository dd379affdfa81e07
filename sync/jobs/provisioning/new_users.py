"""Creating the users of claimed accounts that have none, all of a drain together. `provision` calls it.

Where the bulk lane's gateway is given many at once it sends them together; nothing else differs from creating one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from sync.domain.accounts.language import language_of
from sync.domain.errors import Failure, Misconfigured, Transient
from sync.domain.provisioning.desired import desired_state
from sync.domain.provisioning.plan import as_sent, creation
from sync.domain.work.lane import Lane
from sync.jobs.deactivation import gate
from sync.jobs.provisioning.tampered_groups import refuse_extra_roles
from sync.jobs.systems import Systems
from sync.jobs.work.lease import keep_lease, keep_leases
from sync.jobs.work.recording import Applied
from sync.jobs.work.unforeseen import as_failure
from sync.ports.accounts import Accounts, Created, NewUser
from sync.ports.lease import kept
from sync.store.accounts import passwords
from sync.store.accounts.passwords import KeptPassword
from sync.store.work.account_claims import Claim


def create_missing(
    systems: Systems, accounts: Accounts, claims: Sequence[Claim]
) -> Mapping[str, Created | Failure]:
    """Create the users of all claims that have none; one outcome per account id.

    The bulk lane sends them together, under ids of ours: one that comes late adds nothing. In the other lane
    Keycloak chooses the id, so each is sent by itself. Nothing is sent that the leases may not outlast. Once
    Keycloak does not answer, the rest fail alike, untried.
    """
    outcomes: dict[str, Created | Failure] = {}
    users: list[tuple[Claim, NewUser]] = []
    missing = [claim for claim in claims if claim.account.idp_user_id is None]
    if not missing:
        return {}
    try:
        with systems.db.read() as tx:
            waiting = passwords.kept_by(tx, [claim.account.id for claim in missing], systems.clock.now())
    except Transient as unread:
        return dict.fromkeys((claim.account.id for claim in missing), unread)
    away: Failure | None = None
    for claim in missing:
        if away is not None:
            outcomes[claim.account.id] = away
            continue
        try:
            with kept(partial(keep_lease, systems, claim)):
                users.append((claim, new_user(systems, accounts, claim, waiting.get(claim.account.id))))
        except Exception as error:
            failure = as_failure(error, account=claim.account.id)
            outcomes[claim.account.id] = failure
            away = failure if failure.system is not None else None
    if all(claim.lane is Lane.BULK for claim, _ in users):
        with kept(partial(keep_leases, systems, [claim for claim, _ in users])):
            return outcomes | create_users(accounts, [user for _, user in users])
    return outcomes | _create_each(systems, accounts, users)


def _create_each(
    systems: Systems, accounts: Accounts, users: Sequence[tuple[Claim, NewUser]]
) -> dict[str, Created | Failure]:
    outcomes: dict[str, Created | Failure] = {}
    away: Failure | None = None
    for claim, user in users:
        with kept(partial(keep_lease, systems, claim)):
            outcome = away or create_users(accounts, [user])[claim.account.id]
        if isinstance(outcome, Failure) and outcome.system is not None:
            away = outcome
        outcomes[claim.account.id] = outcome
    return outcomes


def create_users(accounts: Accounts, users: Sequence[NewUser]) -> dict[str, Created | Failure]:
    """All at once; after an error nobody foresaw one by one, so that it stays with the user it is about."""
    if not users:
        return {}
    try:
        return dict(accounts.create(users))
    except Exception as error:
        failure = as_failure(error, account=users[0].desired.account_id)
        if failure is error or len(users) == 1:
            return {user.desired.account_id: failure for user in users}
    return {account_id: each for user in users for account_id, each in create_users(accounts, [user]).items()}


def new_user(
    systems: Systems, accounts: Accounts, claim: Claim, kept: KeptPassword | Misconfigured | None
) -> NewUser:
    """The user to create, with the password that waits for it, if one does. Raises a Failure."""
    desired = desired_state(claim.account, systems.policy)
    refuse_extra_roles(systems, accounts.extra_roles(desired.groups))
    if isinstance(kept, Misconfigured):
        raise kept
    language = language_of(claim.account, systems.policy)
    return NewUser(desired, kept.password if kept is not None else None, language)


def made_now(
    systems: Systems, claims: Sequence[Claim], created: Mapping[str, Created | Failure]
) -> Mapping[str, tuple[Claim, Applied]]:
    """The accounts of the bulk lane that are as wanted because their user was made just now, and need no look of
    their own: nobody has to be let work again in the FSM system, and no act waits. By account id."""
    new = [
        (claim, outcome)
        for claim in claims
        if claim.lane is Lane.BULK
        and isinstance(outcome := created.get(claim.account.id), Created)
        and not outcome.existed
        and not claim.acts
    ]
    stopped = gate.stopped(systems, [claim.account for claim, _ in new])
    return {
        claim.account.id: (claim, made_of(systems, claim, outcome))
        for claim, outcome in new
        if claim.account.technician_id not in stopped
    }


def made_of(systems: Systems, claim: Claim, created: Created) -> Applied:
    """The account is as wanted by having been created; the next comparison looks."""
    desired = desired_state(claim.account, systems.policy)
    sent = as_sent(desired, created.idp_user_id)
    return Applied(created.idp_user_id, changes=(creation(desired),), created=True, observed=sent, as_sent=True)
