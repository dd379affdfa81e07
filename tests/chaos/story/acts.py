"""Whether the one-shot acts of the story came out as they are told: each ended once, and Keycloak has the password
of the newest reset that is told as done.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

from sync.commands.acts import REPLACED
from sync.domain.acts import PASSWORD, Act, ActKind, ActState, stamp_of
from sync.domain.provisioning.observed import UPDATE_PASSWORD
from sync.jobs.acts.doing import NOBODY_KNOWS
from sync.store import acts
from sync.store.audit.timeline import read_timeline
from sync.store.database.transactions import Tx
from tests.realms import ConfiguredRealm

SOON = timedelta(minutes=5)
"""What is due then is somebody's work now; a temporary password has days."""

EXPLAINED = frozenset({REPLACED, NOBODY_KNOWS})
"""Why an act of the story may fail; each says to a person what to do, or that there is nothing to do."""


def unfinished(tx: Tx, account_ids: Sequence[str], now: datetime) -> list[str]:
    """Acts that have not ended."""
    return [
        f"{each.kind} of {account_id} is {each.state}: {each.outcome}"
        for account_id, waiting in acts.open_for_many(tx, account_ids).items()
        for each in waiting
        if each.due_at is None or each.due_at < now + SOON
    ]


def untold(tx: Tx, account_id: str) -> Iterator[str]:
    """Each that ended stands in the timeline once, and failed only for what can be explained."""
    ended = [each for each in acts.of_account(tx, account_id) if each.finished_at is not None]
    told = [entry for entry in read_timeline(tx, account_id) if entry.kind == "act"]
    if len(told) != len(ended):
        yield f"{account_id}: {len(told)} entries for {len(ended)} acts"
    yield from (
        f"{each.kind} of {account_id} failed: {each.outcome}"
        for each in ended
        if each.state is ActState.FAILED and each.outcome not in EXPLAINED
    )


def mails_of_resets(tx: Tx, account_id: str) -> int:
    """How many mails with the password of a reset may have come."""
    return sum(1 for each in acts.of_account(tx, account_id) if each.mail_id is not None)


def wrong_password(realm: ConfiguredRealm, idp_user_id: str, all_of: Sequence[Act]) -> Iterator[str]:
    """The password is that of the newest reset, or the timeline says that it is not."""
    done = [each for each in all_of if each.kind is ActKind.RESET_PASSWORD and each.state is ActState.DONE]
    if not done:
        return
    newest = max(done, key=lambda each: each.id)
    listed = realm.get(f"users/{idp_user_id}/credentials")
    made = [datetime.fromtimestamp(each["createdDate"] / 1000, UTC) for each in listed if each["type"] == PASSWORD]
    lost = any(each.outcome == NOBODY_KNOWS for each in all_of if each.id > newest.id)
    if made != [stamp_of(newest)] and not lost:
        yield f"{newest.account_id}: the password is of {made}, the newest reset of {stamp_of(newest)}"
    if made and UPDATE_PASSWORD not in realm.get(f"users/{idp_user_id}")["requiredActions"]:
        yield f"{newest.account_id}: the temporary password need not be changed"


def tally(tx: Tx, account_ids: Sequence[str]) -> str:
    """How the acts ended, for who reads the story."""
    ended = Counter(
        f"{each.kind} {each.state}" if each.state is ActState.DONE else f"{each.kind}: {each.outcome}"
        for account_id in account_ids
        for each in acts.of_account(tx, account_id)
        if each.finished_at is not None
    )
    return ", ".join(f"{number} {what}" for what, number in sorted(ended.items()))
