"""What a command writes of what is wanted takes what authority granted; no function of the store is left out."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from tests.store_writes import called_without, classes_on

pytestmark = pytest.mark.supports("I4", "A7")

FOLLOWS = "it follows from an account or an act that was granted in the same transaction"
LOOK = "workers look, and find nothing else wanted than before"
PAGES = "pages of a run that nothing acts on before it is confirmed"
OURS = "what we keep of our own work"

NOT_WANTED: Mapping[str, str] = {
    "accounts.passwords.keep": FOLLOWS,
    "accounts.passwords.keep_all": FOLLOWS,
    "audit.trail.audit": "it says what was granted",
    "audit.trail.audit_all": "it says what was granted",
    "audit.trail.record_assignments": "it says what was granted",
    "dates.welcome_later": FOLLOWS,
    "mail.outbox.enqueue": FOLLOWS,
    "mail.outbox.enqueue_all": FOLLOWS,
    "mail.outbox.give_up": FOLLOWS,
    "mail.outbox.readdress": FOLLOWS,
    "operations.troubles.clear": OURS,
    "operations.troubles.note": OURS,
    "provisioning.due.look_after_leases": LOOK,
    "provisioning.due.look_again": LOOK,
    "provisioning.due.look_again_many": LOOK,
    "provisioning.due.mark_new_due": FOLLOWS,
    "provisioning.due.mark_due": FOLLOWS,
    "provisioning.looks.ask": LOOK,
    "runs.pushes.count": OURS,
    "runs.pushes.forget": OURS,
    "runs.run_rows.add_rows": PAGES,
    "runs.runs.counted": OURS,
    "runs.runs.end": "the run is refused while its pages are written",
    "runs.runs.written": PAGES,
    "schedule.hasten": "what comes round anyway comes sooner",
    "schedule.register": "what comes round anyway comes sooner",
}
"""What commands call and that takes no Granted, and why it needs none."""


def test_no_command_writes_what_is_wanted_without_having_asked() -> None:
    """Whatever is new in the store and called by a command takes a Granted, or says here why it needs none."""
    without, granted = called_without("commands", {"Granted", "GrantedAccount"})
    assert without == NOT_WANTED.keys()
    assert {"accounts.accounts.update", "runs.runs.confirm", "work.circuits.put", "mappings.insert"} <= granted


def test_nobody_but_authority_makes_what_is_granted() -> None:
    """A class of its own would say yes without having asked."""
    found = classes_on({"Granted", "GrantedAccount", "_Granted", "_GrantedAccount"})
    assert found.keys() == {"sync/commands/access/authority.py", "sync/domain/access/granted.py"}
