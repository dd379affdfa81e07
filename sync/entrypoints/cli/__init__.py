"""The command line `fsm-identity`: its nouns, one module each, and its beginning.

Every command begins here, so this module loads nothing: the overview is told at once, and a noun's commands with
their libraries are loaded when the noun is used (`nouns`).
"""

from __future__ import annotations

import os
import sys

NOUNS = {
    "account": ("accounts.account", "Accounts: who may log in, with which profile, and why."),
    "technician": ("accounts.technician", "Technician records and their accounts."),
    "work-orders": ("deactivation", "Open work orders and who takes them over."),
    "import": ("imports.imports", "Staff files: review, confirm, follow, mend."),
    "drift": ("drift", "What Keycloak holds that is not wanted."),
    "adopt": ("adoption", "Users of Keycloak that were there before us."),
    "runs": ("runs.runs", "Runs: what waits for an approval, and what became of it."),
    "audit": ("audit", "The audit trail: who did what and why, and whether it was tampered with."),
    "report": ("reports", "Reports over all accounts: those that nobody uses."),
    "ops": ("operations.ops", "Queues, workers, quarantine: see what is wrong, and act."),
    "realm": ("realm", "The Keycloak realm, as the mapping files want it."),
    "mappings": ("mappings.mappings", "The files that say who gets what."),
    "settings": ("settings", "The settings of this machine's processes."),
    "database": ("database", "The tables of our database."),
    "dev": ("dev", "Keycloak, Redis, a mail catcher, the web process and workers on this machine."),
}
"""Noun to the module that holds its commands and to what it is about, in the order of the help."""

COMPLETION = "_FSM_IDENTITY_COMPLETE"
"""The variable in which a shell says that the TAB key was pressed."""

ABOUT = "Accounts, profiles and technician links of a field service system, carried into Keycloak."


def main() -> None:
    """Run the command line. Exit codes: 0 done, 1 refused or failed, 2 wrong usage."""
    if sys.argv[1:] == ["--help"]:
        sys.stdout.write(overview())
        return
    if COMPLETION in os.environ:
        from sync.entrypoints.cli.completion.shells import answer

        answer()
    from sync.entrypoints.cli.nouns import app

    app()


def overview() -> str:
    """What `fsm-identity --help` says."""
    nouns = "".join(f"  {noun:<13}{about}\n" for noun, (_, about) in NOUNS.items())
    return f"""Usage: fsm-identity NOUN COMMAND …

{ABOUT}

{nouns}
fsm-identity NOUN --help lists the commands of a noun, and
fsm-identity NOUN COMMAND --help says what a command takes.
fsm-identity --install-completion lets the TAB key complete them.
"""


def __getattr__(name: str) -> object:
    """`app`, the whole command line, is loaded when somebody asks for it."""
    if name == "app":
        from sync.entrypoints.cli.nouns import app

        return app
    raise AttributeError(name)
