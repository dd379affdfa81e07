"""What the demo says at its end: where everything is, and five things to try. Every command can be pasted as it
is."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from examples.company import Person, people
from sync.devstack.own_processes import flower_url
from sync.devstack.services.keycloak_server import ADMIN
from sync.devstack.surroundings import OPERATOR, Surroundings

COMMAND = Path(sys.executable).with_name("fsm-identity")
SECOND_LIST = Path(__file__).with_name("staff-second.csv")


@dataclass(frozen=True)
class Trial:
    """One thing to try: what happens, what to look at, and the commands, in order."""

    title: str
    look_at: str
    commands: Sequence[str]


def point_here(place: Surroundings) -> str:
    """After this every command means the stack of the demo."""
    return f"export FSM_DEV_HOME={shlex.quote(str(place.layout.home))}"


def addresses(
    place: Surroundings, administrator: Person, password: str, key: str
) -> Sequence[tuple[str, Sequence[str]]]:
    """What runs, and the lines to reach it: addresses, logins, commands."""
    dispatcher = one_of("dispatcher")
    token = shlex.quote(f"Authorization: Bearer {place.credentials.metrics}")
    return (
        (
            "own account",
            (
                place.web_url,
                f"{dispatcher.email}, with the password of the mail",
                _own("dev", "mail", dispatcher.email),
            ),
        ),
        ("administrator", (place.web_url, f"{administrator.email} / {password}, authenticator key {key}")),
        ("Keycloak's console", (f"{place.keycloak_url}/admin/", f"{ADMIN} / {place.credentials.keycloak_admin}")),
        ("mails", (place.mail_url, f"{OPERATOR} / {place.credentials.mail_page}", _own("dev", "mail"))),
        ("Flower", (flower_url(place), f"{OPERATOR} / {place.credentials.flower}")),
        ("metrics", (f"curl -sH {token} {place.web_url}/metrics",)),
        ("logs", (str(place.layout.logs), _own("dev", "logs", "worker-bulk"))),
    )


def trials(place: Surroundings) -> Sequence[Trial]:
    """Each stands for itself; together they take a quarter of an hour."""
    manager, reader = one_of("manager"), one_of("read-only", 10)
    own_files = place.layout.home / "my-mappings"
    return (
        Trial(
            "Rights from outside go again",
            f"In Keycloak's console let {reader.email} join the group /fsm/profiles/administrator. It is undone "
            "within a minute, and the history says what it was.",
            (_own("drift", "compare"), _own("account", "show", reader.email)),
        ),
        Trial(
            "A password is forgotten",
            "A new temporary one, shown once; it has to be changed at the next login, and all sessions end.",
            (_own("account", "reset-password", manager.email, "--reason", "forgot it"),),
        ),
        Trial(
            "A second staff list",
            "Other column names, another order, people who move: only what differs would be done. It lets one "
            "person see the whole company, so it is held for somebody else's approval.",
            (
                _own("import", "review", _here(SECOND_LIST)),
                _own("import", "confirm", "last", "--yes"),
                _own("runs", "list"),
            ),
        ),
        Trial(
            "Work waits while a lane is paused",
            "The change is stored, the account says what it waits for, and the status names the lane.",
            (
                _own("ops", "pause", "interactive", "--reason", "to see what happens"),
                _own(
                    "account", "change", reader.email, "--profile", "accountant", "--reason", "moves", "--no-wait"
                ),
                _own("ops", "status"),
                _own("ops", "resume", "interactive", "--reason", "seen"),
                _own("account", "show", reader.email),
            ),
        ),
        Trial(
            "Other rules",
            f"After the first command edit {own_files / 'profiles.toml'}; the second says what would change for "
            "whom.",
            (_own("mappings", "copy", str(own_files)), _own("mappings", "plan", str(own_files))),
        ),
    )


def lines(place: Surroundings, administrator: Person, password: str, key: str) -> Iterator[str]:
    """All of it, one line after the other."""
    yield "It keeps running; end it with Ctrl-C. In another terminal, in this folder, first:"
    yield ""
    yield f"  {point_here(place)}"
    yield ""
    for what, shown in addresses(place, administrator, password, key):
        for title, line in zip((what, *[""] * len(shown)), shown, strict=False):
            yield f"  {title:<20}{line}"
    yield ""
    yield "Five things to try"
    for number, trial in enumerate(trials(place), start=1):
        yield ""
        yield f"{number}. {trial.title}. {trial.look_at}"
        yield from (f"  {command}" for command in trial.commands)


def one_of(profile: str, position: int = 0) -> Person:
    """Somebody with that profile."""
    return [each for each in people() if each.profile == profile][position]


def _own(*arguments: str) -> str:
    return shlex.join((_here(COMMAND), *arguments))


def _here(path: Path) -> str:
    """As short as it can be typed in the folder that the demo was started in."""
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)
