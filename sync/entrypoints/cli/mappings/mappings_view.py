"""Showing on the command line what other mapping files would change."""

from __future__ import annotations

from typing import Any

from mappings.guard import KINDS
from sync.commands.mappings.plan import Affected, MappingsPlan
from sync.domain.runs.guard import WORDS, Hold
from sync.domain.wording import counted
from sync.entrypoints.cli.terminal.output import print_table, screen, warn


def print_plan(found: MappingsPlan) -> None:
    """What is different in the files, how many accounts it reaches and how, and the first of them."""
    for line in found.other:
        screen.line(line)
    if found.shown:
        print_table(
            ["who", "what happens", "what goes", "what comes"],
            [[each.account.username, _kinds(each), _listed(each, 0), _listed(each, 1)] for each in found.shown],
            title=f"{counted(found.affected, 'account')} of {found.population} active ones affected",
        )
    if found.affected > len(found.shown):
        screen.line(f"… and {found.affected - len(found.shown)} more; --limit shows more, --json too")
    if found.affected:
        print_table(
            ["accounts that would be", "how many"],
            [[WORDS[kind], found.counts[kind]] for kind in KINDS if found.counts[kind]],
        )
        screen.line(f"{counted(found.for_workers, 'account')} for the workers; the rest follows by realm apply")
    verdict = found.verdict
    if isinstance(verdict, Hold):
        for reason in verdict.reasons:
            warn(f"needs an approval: {reason}")
    screen.line(f"plan {found.fingerprint[:16]}, after policy {found.proposal.in_force.number}")


def plan_json(found: MappingsPlan) -> dict[str, Any]:
    verdict = found.verdict
    return {
        "fingerprint": found.fingerprint,
        "in_force": found.proposal.in_force.number,
        "policy": found.proposal.policy.fingerprint,
        "other": found.other,
        "population": found.population,
        "affected": found.affected,
        "for_workers": found.for_workers,
        "counts": {kind: found.counts[kind] for kind in KINDS},
        "needs_approval": list(verdict.reasons) if isinstance(verdict, Hold) else [],
        "accounts": [
            {
                "id": each.account.id,
                "username": each.account.username,
                "effects": sorted(each.effect.kinds),
                "changes": each.effect.record(),
            }
            for each in found.shown
        ],
    }


def _kinds(each: Affected) -> str:
    told = [WORDS[kind] for kind in KINDS if kind in each.effect.kinds and kind != "changed"]
    return ", ".join(told) or "changed"


def _listed(each: Affected, which: int) -> str:
    return "\n".join(entry for pair in each.effect.changes.values() for entry in pair[which])
