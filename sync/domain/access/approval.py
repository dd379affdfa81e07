"""Who may approve what the mass-change guard holds: another caller than the one who wanted it (E7). Pure."""

from __future__ import annotations

from mappings.guard import ApprovalRules
from sync.domain.access.callers import Caller, Machine, name_of, same
from sync.domain.errors import Problem

ALONE = "adopt a guard.toml with one_is_enough, reject this run and review it again"


def against_approval(confirmer: Caller, approver: Caller, rules: ApprovalRules) -> Problem | None:
    """None: `approver` may; else why not. What the permission asks for is asked besides."""
    if rules.needs_account and isinstance(approver, Machine):
        reason = "does not count: guard.toml demands an account"
        return Problem("approval", f"by a login of the operating system {reason}", "approve it with your account")
    if rules.one_is_enough or not same(confirmer, approver):
        return None
    what = f"takes somebody else than {name_of(confirmer)}, who confirmed it"
    if isinstance(approver, Machine):
        number = f"login number {approver.number}"
        return Problem(
            "approval",
            f"{what}: this command line is {number} as well",
            f"let another login of this system approve it; if there is none, {ALONE}",
        )
    return Problem("approval", what, f"ask another administrator, or {ALONE}")
