"""Bringing accounts about: observe, compare, ask the gate, apply, record. The heart of the workers.

Everything that must survive is written in two short transactions, the claim and the record; nothing is open
across a call to Keycloak. Whatever dies in between is found by the next look, because the comparison is
with what Keycloak really holds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial

import structlog

from sync.domain.accounts.account import Life
from sync.domain.deactivation.gate import GateVerdict, OpenWorkOrder
from sync.domain.errors import Failure, FailureCode, NeedsPerson, Transient
from sync.domain.provisioning.aspect import Aspect
from sync.domain.provisioning.change import outstanding
from sync.domain.provisioning.desired import desired_state
from sync.domain.provisioning.observed import Observed
from sync.domain.provisioning.outstanding import not_ours, with_outstanding
from sync.domain.provisioning.plan import creation, deviations, diff, refuse_unsafe
from sync.domain.work.circuit import CircuitName
from sync.domain.work.lane import Lane
from sync.domain.work.lease import LEASE
from sync.jobs.acts.carry_out import carry_out, carry_out_in_quarantine, come_again
from sync.jobs.deactivation import gate
from sync.jobs.deactivation.reassign import reassign_next
from sync.jobs.provisioning.apply_plan import apply_plan, read_back
from sync.jobs.provisioning.deadly import give_up_deadly
from sync.jobs.provisioning.decisions import decided_about, forget_user, left_alone, to_make_anew
from sync.jobs.provisioning.looks import look_where_asked
from sync.jobs.provisioning.lost_holder import explained
from sync.jobs.provisioning.new_users import create_missing, made_now, made_of
from sync.jobs.provisioning.tampered_groups import refuse_extra_roles
from sync.jobs.systems import Systems
from sync.jobs.work import circuits
from sync.jobs.work.field_service import WatchedFieldService
from sync.jobs.work.giving_way import give_way, giving_way
from sync.jobs.work.lease import keep_lease, keep_leases, remaining, terms
from sync.jobs.work.recording import Applied, Failed, Outcome, Withheld, record, record_applied
from sync.jobs.work.unforeseen import as_failure
from sync.ports.accounts import Accounts, Created
from sync.ports.lease import carried, kept
from sync.store import mappings
from sync.store.drift.findings import Finding
from sync.store.work import account_claims
from sync.store.work.account_claims import Claim

CLAIM_AT_ONCE = {Lane.INTERACTIVE: 20, Lane.BULK: 80}
"""A drain's share by lane: a killed worker holds few, and the bulk lane has several chunks to send at once."""

TOGETHER = 20
"""Accounts of a mass change that are observed and recorded together: no more than are worked on in a second or
two, for what was seen is what the changes are decided on."""

SIDE_BY_SIDE = 4
"""Of these, how many at once: the requests for one account follow each other, and Keycloak waits meanwhile."""

log = structlog.get_logger()


def provision_some(systems: Systems, lane: Lane) -> int:
    """Claim a few due accounts of the lane and bring each about. Returns how many were claimed.

    Looks and reassignments that doors wait for come first, and bulk work gives way to the interactive lane. One
    account's failure is recorded with it and stops no other. What there is no time left for is given back
    untouched, so that a slow Keycloak cannot keep a batch, and the accounts in it, for minutes. Nothing is claimed
    by a policy that is no longer in force.
    """
    if lane is Lane.BULK:
        with giving_way(systems):
            return _provision_some(systems, lane)
    return _provision_some(systems, lane)


def _provision_some(systems: Systems, lane: Lane) -> int:
    asked = look_where_asked(systems) + reassign_next(systems) if lane is Lane.INTERACTIVE else 0
    with systems.db.write() as tx:
        if not mappings.still_in_force(tx, systems.policy_number):
            return asked
        claims, watch = circuits.claim(
            systems,
            tx,
            lane,
            lambda limit: (
                account_claims.claim(tx, lane, terms(systems), limit)
                or account_claims.claim_alone(tx, lane, terms(systems))
            ),
            CLAIM_AT_ONCE[lane],
        )
        decisions = decided_about(tx, claims)
    accounts = systems.accounts_for(lane)
    created = create_missing(systems, accounts, claims)
    made = made_now(systems, claims, created)
    if made:
        watch.report(None)
        give_way(systems)
        settle_made(systems, made, watch.name)
    done = made.keys() | (
        bring_about_together(systems, accounts, claims, decisions, watch) if lane is Lane.BULK else set()
    )
    for claim in claims:
        if claim.account.id in done:
            continue
        found = created.get(claim.account.id)
        untried = found is None and (not watch.closed or remaining(systems, claim) < LEASE / 2)
        if untried or (isinstance(found, Failure) and watch.shares(found)):
            with systems.db.write() as tx:
                account_claims.release(tx, claim)
            continue
        outcome = bring_about_safely(systems, accounts, claim, found, decisions.get(claim.account.id, ()))
        watch.report(outcome.failure if isinstance(outcome, Failed) else None)
        if outcome is None:
            continue
        settle(systems, claim, carry_out(systems, claim, outcome), watch.name)
        come_again(systems, claim)
    deadly = 0 if claims else give_up_deadly(systems, lane)
    return asked + len(claims) + deadly + (carry_out_in_quarantine(systems) if lane is Lane.INTERACTIVE else 0)


def bring_about_together(
    systems: Systems,
    accounts: Accounts,
    claims: Sequence[Claim],
    decisions: Mapping[str, tuple[Finding, ...]],
    watch: circuits.Watch,
) -> set[str]:
    """Mass changes: accounts that have a user, observed together and brought about side by side; the outcomes are
    recorded in one transaction a portion. Returns the accounts that need nothing more.

    What a portion cannot be observed for, what there is no time left for, and whatever is not plain is left to be
    looked at alone: accounts wanted inactive, for their sessions, those taken over, those with acts, and those
    about which people decided.
    """
    plain = [
        claim
        for claim in claims
        if claim.account.idp_user_id is not None
        and claim.account.life is Life.ACTIVE
        and not claim.acts
        and not claim.took_over
        and claim.account.id not in decisions
    ]
    done: set[str] = set()
    for start in range(0, len(plain), TOGETHER):
        some = plain[start : start + TOGETHER]
        if len(some) < 2 or not watch.closed or watch.probe is not None or remaining(systems, some[0]) < LEASE / 2:
            break
        try:
            with kept(partial(keep_leases, systems, some)):
                seen = accounts.observe_many([str(claim.account.idp_user_id) for claim in some])
        except Exception as error:
            failure = as_failure(error, account=some[0].account.id)
            log.info("accounts are looked at one by one", accounts=len(some), reason=str(failure))
            break
        present = [(claim, found) for claim in some if (found := seen.get(str(claim.account.idp_user_id)))]
        with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
            one = carried(lambda each: bring_about_safely(systems, accounts, each[0], None, seen=each[1]))
            outcomes = list(pool.map(one, present))
        applied: dict[str, tuple[Claim, Applied]] = {}
        for (claim, _), outcome in zip(present, outcomes, strict=True):
            watch.report(outcome.failure if isinstance(outcome, Failed) else None)
            if isinstance(outcome, Applied):
                applied[claim.account.id] = claim, outcome
            elif outcome is not None:
                settle(systems, claim, outcome, watch.name)
        if applied:
            settle_made(systems, applied, watch.name)
        done.update(claim.account.id for claim, _ in present)
    return done


def bring_about_safely(
    systems: Systems,
    accounts: Accounts,
    claim: Claim,
    created: Created | Failure | None,
    decisions: Sequence[Finding] = (),
    seen: Observed | None = None,
) -> Outcome | None:
    """`bring_about` under the lease, with every failure as an outcome."""
    try:
        with kept(partial(keep_lease, systems, claim)):
            outcome = bring_about(systems, accounts, claim, created, decisions, seen)
    except Exception as error:
        outcome = Failed(as_failure(error, account=claim.account.id))
    if isinstance(outcome, Failed):
        return replace(outcome, failure=explained(systems, outcome.failure))
    return outcome


def settle_made(systems: Systems, made: Mapping[str, tuple[Claim, Applied]], keycloak: CircuitName) -> None:
    """Record all of them in one transaction, or, if one of them cannot be recorded, each by itself."""
    try:
        with systems.db.write() as tx:
            record_applied(tx, systems.policy, tuple(made.values()), systems.clock.now())
    except Transient as failure:
        log.warning("outcomes not recorded; they are looked at again", accounts=len(made), reason=str(failure))
    except Exception:
        log.warning("outcomes are recorded one by one", accounts=len(made), exc_info=True)
        for claim, outcome in made.values():
            settle(systems, claim, outcome, keycloak)


def settle(systems: Systems, claim: Claim, outcome: Outcome, keycloak: CircuitName = CircuitName.KEYCLOAK) -> None:
    """Record what came of the claim; what cannot be recorded is a failure of this account alone.

    Our database being away is no outcome: the lease runs out, and the next look finds in Keycloak what was done.
    """
    try:
        with systems.db.write() as tx:
            record(tx, systems.policy, claim, outcome, systems.clock.now(), keycloak)
    except Transient as failure:
        log.warning("outcome not recorded; it is looked at again", account=claim.account.id, reason=str(failure))
    except Exception as error:
        if isinstance(outcome, Failed):
            raise
        settle(systems, claim, Failed(as_failure(error, account=claim.account.id)), keycloak)


def bring_about(
    systems: Systems,
    accounts: Accounts,
    claim: Claim,
    created: Created | Failure | None,
    decisions: Sequence[Finding] = (),
    seen: Observed | None = None,
) -> Outcome | None:
    """Make Keycloak equal to what is wanted of one account. `decisions`: what people decided about how it is
    there; `seen`: it was observed just now. None: it was given back, to be made anew. Raises a Failure."""
    desired = desired_state(claim.account, systems.policy)
    if isinstance(created, Failure):
        with with_outstanding(partial(outstanding, [creation(desired)])):
            raise created
    made = (creation(desired),) if created is not None and not created.existed else ()
    if created is not None and made and claim.lane is Lane.BULK:
        gate.release(systems, claim)
        return made_of(systems, claim, created)

    idp_user_id = _idp_user_id(claim, created)
    observed = seen or accounts.observe(idp_user_id, sessions=not desired.enabled)
    accepted = left_alone(systems, claim, deviations(desired, observed), decisions)
    if observed is None and Aspect.MISSING in accepted:
        return Applied(idp_user_id, changes=())
    if observed is None and (decision := to_make_anew(claim, decisions)) is not None:
        forget_user(systems, claim, decision)
        return None
    if observed is None:
        with with_outstanding(partial(outstanding, [creation(desired)])):
            raise NeedsPerson(
                f"Keycloak user {idp_user_id} was deleted there; nobody of ours deletes users",
                code=FailureCode.USER_DELETED,
            )
    with with_outstanding(partial(not_ours, desired, observed)):
        refuse_unsafe(desired, observed)
    plan = diff(desired, observed).leaving(accepted)
    with with_outstanding(partial(outstanding, plan.changes)):
        refuse_extra_roles(systems, accounts.extra_roles(desired.groups - observed.groups))

    verdict, work_orders = GateVerdict.PASS, tuple[OpenWorkOrder, ...]()
    withdraws = plan.withdraws_technician
    if withdraws:
        answer = gate.ask(systems, claim, observed)
        verdict, work_orders = answer.verdict, answer.work_orders
        if verdict in (GateVerdict.HELD, GateVerdict.REFUSED):
            plan = plan.keeping_access()

    carried = apply_plan(accounts, observed, plan)
    if carried.failure is not None:
        return Failed(carried.failure, (*made, *carried.changes), carried.observed)
    if seen is None:
        carried = read_back(accounts, desired, carried)

    if verdict in (GateVerdict.HELD, GateVerdict.REFUSED):
        return Withheld(idp_user_id, (*made, *carried.changes), verdict, work_orders, carried.observed)
    gate.release(systems, claim)
    lost = _lost_technicians(systems, claim, observed, withdrew=withdraws)
    return Applied(
        idp_user_id=idp_user_id,
        changes=(*made, *carried.changes),
        created=created is not None,
        observed=carried.observed,
        withdrew_technician=withdraws or (claim.took_over and claim.account.life is Life.ACTIVE and bool(lost)),
        stranded=_stranded(systems, observed.technician_id or claim.account.technician_id, lost, work_orders),
    )


def _lost_technicians(systems: Systems, claim: Claim, observed: Observed, *, withdrew: bool) -> frozenset[str]:
    """Whom the person was and is no more. That of an active account is known by our stop alone once Keycloak has
    lost it: looked up after a worker that may have died over the withdrawal, and where nothing else is new, as at
    the look after an access token's life; not in a change of many."""
    technician_id = observed.technician_id or claim.account.technician_id
    lost = frozenset[str]()
    if technician_id is not None and (withdrew or claim.account.life is Life.INACTIVE):
        lost = frozenset([technician_id])
    if claim.took_over or claim.applied_version == claim.wanted_version:
        lost |= gate.left_behind(systems, claim.account)
    return lost


def _stranded(
    systems: Systems, withdrawn: str | None, lost: frozenset[str], forced: Sequence[OpenWorkOrder]
) -> Mapping[str, tuple[OpenWorkOrder, ...]]:
    """Work orders left behind, by technician: those of `withdrawn` that a forced deactivation passed over, and any
    that slipped in (D3, rule: ask-the-gate).

    Read once more right after the technician was withdrawn, and at the look after an access token's life.
    """
    stranded = {}
    for technician_id in sorted(lost):
        found = {order.number: order for order in (forced if technician_id == withdrawn else ())}
        open_now = WatchedFieldService(systems).open_work_orders(technician_id)
        found |= {order.number: order for order in open_now}
        stranded[technician_id] = tuple(found[number] for number in sorted(found))
    return stranded


def _idp_user_id(claim: Claim, created: Created | None) -> str:
    known = created.idp_user_id if created is not None else claim.account.idp_user_id
    if known is None:
        raise NeedsPerson("the account has no Keycloak user and none was created", code=FailureCode.USER_MISSING)
    return known
