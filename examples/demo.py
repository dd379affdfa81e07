"""The main job on a real Keycloak, step by step, as a person would do it on the command line.

`python -m examples.demo` stays up at the end, to be clicked through; with `--once` it ends. It exits with 0
only if every step had its outcome. Everything it starts and stores is below `.demo`.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table

from examples import ADMINISTRATOR, BUSY_TECHNICIAN, FREE_TECHNICIAN, UNLINKED_TECHNICIAN, fsm_database, what_next
from examples.browser import CALLBACK, Authenticator, Browser, NotAsExpected, payload
from examples.company import Person, people
from examples.read_back import AdminApi, compare
from sync.devstack import stack
from sync.devstack.failure import StackFailure
from sync.devstack.layout import Layout, make_home
from sync.devstack.services.keycloak_server import ADMIN
from sync.devstack.services.mailbox import wait_for_mails
from sync.devstack.surroundings import REALM, Surroundings

HOME = Path(".demo")
STAFF = Path(__file__).with_name("staff.xlsx")
NEW_PASSWORD = "Sommerregen-4711-Hof"  # noqa: S105 - of an invented person in a Keycloak that lives for the demo
PORTAL = "example-portal"

screen = Console(width=None if sys.stdout.isatty() else 120)


@dataclass
class Demo:
    """What the steps share."""

    place: Surroundings
    results: list[tuple[str, str, float]] = field(default_factory=list)
    run_id: str = ""
    offline: dict[str, Any] = field(default_factory=dict, repr=False)
    authenticator: Authenticator | None = field(default=None, repr=False)

    @cached_property
    def api(self) -> AdminApi:
        return AdminApi(self.place.keycloak_url, REALM, ADMIN, self.place.credentials.keycloak_admin)

    def step(self, title: str, look_at: str, action: Callable[[], str]) -> None:
        """Do one step, say what to look at, and remember how it came out."""
        number = len(self.results) + 1
        screen.print(Panel(look_at, title=f"{number}. {title}", title_align="left", border_style="cyan"))
        began = time.monotonic()
        outcome = action()
        self.results.append((title, outcome, time.monotonic() - began))
        screen.print(f"[green]✓[/green] {outcome}\n")

    def command(self, *arguments: str, expect: int = 0, show: bool = True) -> str:
        """Run fsm-identity as a person would. Raises NotAsExpected on another exit code."""
        if show:
            screen.print(f"[bold]$ fsm-identity {escape(shlex.join(arguments))}[/bold]")
        done = subprocess.run(
            [what_next.COMMAND, *arguments],
            env=own_surroundings() | {"FSM_DEV_HOME": str(self.place.layout.home)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=300,
        )
        if show:
            screen.print(done.stdout.rstrip(), markup=False, highlight=False, soft_wrap=True)
        if done.returncode != expect:
            raise NotAsExpected(f"exit code {done.returncode}, expected {expect}: {done.stdout[-2000:]}")
        return done.stdout

    def json(self, *arguments: str) -> Any:
        return json.loads(self.command(*arguments, "--json", show=False))

    def browser(self) -> Browser:
        return Browser(self.place.keycloak_url, REALM, PORTAL)


def own_surroundings() -> dict[str, str]:
    """What the user's shell says of another fsm-identity is not meant for the demo."""
    return {name: value for name, value in os.environ.items() if not name.startswith("FSM_")}


def expect(truth: object, otherwise: str) -> None:
    if not truth:
        raise NotAsExpected(otherwise)


def person_of(technician_id: str) -> Person:
    return next(person for person in people() if person.technician_id == technician_id)


def realm_is_configured(demo: Demo) -> str:
    demo.command("realm", "drift")
    demo.api.create(
        "clients",
        {
            "clientId": PORTAL,
            "name": "Example portal, an application of the company",
            "publicClient": True,
            "redirectUris": [CALLBACK],
            "attributes": {"pkce.code.challenge.method": "S256"},
        },
    )
    return "Keycloak is configured as mappings/ says; a portal of the company is registered in it"


def staff_is_reviewed(demo: Demo) -> str:
    demo.command("import", "review", str(STAFF), "--map", "Start date=", expect=1)
    [run] = demo.json("import", "list")
    demo.run_id = run["id"]
    counts = run["counts"]
    expect(counts["create"] == 243 and counts["error"] == 7, f"243 to create and 7 errors, not {counts}")
    return "250 rows: 243 to create, seven wrong in seven ways; nothing has happened yet"


def import_is_carried_out(demo: Demo) -> str:
    began = time.monotonic()
    demo.command("import", "confirm", demo.run_id, "--yes")
    return f"243 accounts went through the workers into Keycloak in {time.monotonic() - began:.0f} s"


def people_are_read_back(demo: Demo) -> str:
    found = compare(demo.api)
    expect(not found.differences, "; ".join(found.differences[:5]))
    expect(found.users == found.people == 243, f"{found.users} users of ours, expected 243")
    return "243 of 243 have one profile, the right branch, team, data access, role and technician id"


def technician_logs_in(demo: Demo) -> str:
    person = person_of(BUSY_TECHNICIAN)
    browser = demo.browser()
    page = browser.log_in(person.email, password_from_mail(demo, person), scope="openid offline_access")
    expect(page.asks == "new password", f"Keycloak asks for {page.asks!r} ({page.message}), not a new password")
    page = browser.submit(page, **{"password-new": NEW_PASSWORD, "password-confirm": NEW_PASSWORD})
    demo.offline = browser.tokens(page)
    claim = payload(demo.offline["access_token"])["fsm"]
    screen.print_json(data=claim)
    says = claim["profile"], claim["branch"], claim["technician_id"]
    expect(says == (["technician"], [person.branch], BUSY_TECHNICIAN), f"the claim is {claim}")
    return f"{person.full_name} had to change the password; the token says technician {BUSY_TECHNICIAN}"


def administrator_sets_up_a_second_factor(demo: Demo) -> str:
    person = next(each for each in people() if each.email == ADMINISTRATOR)
    browser = demo.browser()
    page = browser.log_in(person.email, password_from_mail(demo, person))
    asked = []
    while page.asks in ("new password", "set up code"):
        asked.append(page.asks)
        if page.asks == "new password":
            page = browser.submit(page, **{"password-new": NEW_PASSWORD, "password-confirm": NEW_PASSWORD})
        else:
            page, demo.authenticator = browser.set_up_code(page)
    expect(sorted(asked) == ["new password", "set up code"], f"Keycloak asked for {asked}, then {page.message!r}")
    claim = payload(browser.tokens(page)["access_token"])["fsm"]
    expect("user-management" in claim["features"], f"the claim is {claim}")
    return f"{person.full_name} had to set up an authenticator app before anything else"


def technician_is_linked(demo: Demo) -> str:
    person = person_of(UNLINKED_TECHNICIAN)
    why = "the staff list does not name the record"
    demo.command("technician", "link", UNLINKED_TECHNICIAN, person.email, "--reason", why)
    shown = demo.json("account", "show", person.email)
    expect("/fsm/field-technicians" in shown["observed"]["groups"], f"Keycloak has {shown['observed']['groups']}")
    return f"{person.full_name} is now technician {UNLINKED_TECHNICIAN} and can be given work"


def deactivation_is_refused(demo: Demo) -> str:
    person = person_of(BUSY_TECHNICIAN)
    said = demo.command("account", "deactivate", person.email, "--reason", "leaves the company", expect=1)
    count = len(demo.json("work-orders", "list", BUSY_TECHNICIAN))
    expect(count and f"{count} open work orders" in said, f"{count} work orders are open, the answer was: {said}")
    expect(demo.browser().refresh(demo.offline).ok, "the technician should still be working")
    return f"refused: {count} open work orders, each named; {person.full_name} keeps working"


def work_is_reassigned(demo: Demo) -> str:
    why = "takes over from a leaver"
    said = demo.command("work-orders", "reassign", BUSY_TECHNICIAN, "--to", FREE_TECHNICIAN, "--reason", why)
    left = demo.json("work-orders", "list", BUSY_TECHNICIAN)
    expect(not left, f"{len(left)} work orders are left")
    [moved] = re.findall(r"(\d+) work orders moved", said)
    return f"{moved} work orders moved to {FREE_TECHNICIAN} in one step"


def deactivation_goes_through(demo: Demo) -> str:
    person = person_of(BUSY_TECHNICIAN)
    demo.command("account", "deactivate", person.email, "--reason", "leaves the company")
    refused = demo.browser().refresh(demo.offline)
    expect(refused.status_code == 400, f"the offline token still works: {refused.status_code}")
    why = "stays after all, for the demo"
    demo.command("account", "reactivate", person.email, "--reason", why, show=False)
    again = demo.browser().refresh(demo.offline)
    expect(again.status_code == 400, "the offline token works again after a reactivation")
    demo.command("account", "deactivate", person.email, "--reason", "leaves the company", show=False)
    demo.command("account", "show", person.email)
    return f"{person.full_name} is disabled; the offline token is dead, also after a reactivation"


def password_from_mail(demo: Demo, person: Person) -> str:
    """The temporary password of the welcome mail."""
    [mail, *_] = wait_for_mails(
        demo.place.layout.mail, which=lambda mail: person.email in str(mail["To"]).lower(), seconds=60
    )
    text = mail.get_content()
    screen.print(Panel(text.strip(), title=f"mail to {mail['To']}: {mail['Subject']}", title_align="left"))
    [password] = re.findall(r"\b(?:[a-z2-9]{4}-){5}[a-z2-9]{4}\b", text)
    return str(password)


STEPS: tuple[tuple[str, str, Callable[[Demo], str]], ...] = (
    (
        "The realm is code",
        "Profiles, branches, second factor, sessions: nothing differs from the files in mappings/.",
        realm_is_configured,
    ),
    (
        "A staff list is reviewed",
        "Title rows above the header, German and English column names, leading zeros. Seven rows are wrong; each\n"
        "is named by its cell, with what would mend it.",
        staff_is_reviewed,
    ),
    (
        "The import is confirmed",
        "Celery workers carry the accounts into Keycloak; what was reviewed is what is done.",
        import_is_carried_out,
    ),
    (
        "Read back from Keycloak",
        "Asked as Keycloak's own administrator, person by person, against the staff list.",
        people_are_read_back,
    ),
    (
        "A technician logs in",
        "Over Keycloak's real login form, with the temporary password of the welcome mail.",
        technician_logs_in,
    ),
    (
        "An administrator logs in",
        "The profile demands a second factor: it has to be set up before anything else.",
        administrator_sets_up_a_second_factor,
    ),
    (
        "A technician record is linked",
        "The staff list forgot one. Without the link nobody can give this technician work.",
        technician_is_linked,
    ),
    (
        "A deactivation is refused",
        "The technician still has open work orders: as lead, in a crew, by appointment. All are named.",
        deactivation_is_refused,
    ),
    ("The work is reassigned", "All of it, in one step.", work_is_reassigned),
    (
        "The deactivation goes through",
        "Disabled, sessions ended, the offline token of the phone refused. The timeline tells the story.",
        deactivation_goes_through,
    ),
)


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--once", action="store_true", help="end after the last step")
    arguments.add_argument("--home", type=Path, default=HOME, help="folder for everything that is stored")
    chosen = arguments.parse_args()
    layout = Layout(chosen.home.resolve())
    if not layout.home.parent.is_dir():
        screen.print(f"[red]✗[/red] {layout.home.parent} does not exist")
        return 1
    parts = stack.chosen_parts("sqlite", None)
    began = time.monotonic()
    try:
        start_afresh(layout)
        with stack.foreground(
            layout, parts, "sqlite", lambda line: screen.print(f"  {line}", highlight=False)
        ) as place:
            screen.print(f"  everything runs, after {time.monotonic() - began:.0f} s\n", highlight=False)
            return play(Demo(place), stay=not chosen.once, layout=layout)
    except StackFailure as failure:
        screen.print(f"[red]✗[/red] {failure}", highlight=False)
        return 1
    except KeyboardInterrupt:
        screen.print("Ended.")
        return 0


def start_afresh(layout: Layout) -> None:
    """The demo's own folder begins empty each time. Raises StackFailure where an earlier demo still runs: somebody
    may be at it."""
    if any(part.running for part in stack.status(layout)):
        raise StackFailure(
            f"a demo runs in {layout.home}: end it with Ctrl-C where it was started, or with "
            f"FSM_DEV_HOME={layout.home} fsm-identity dev down"
        )
    shutil.rmtree(layout.home, ignore_errors=True)
    make_home(layout)
    fsm_database.create(f"sqlite:///{layout.field_service}")


def play(demo: Demo, *, stay: bool, layout: Layout) -> int:
    """Every step in order. A step without its outcome ends the demo with exit code 1."""
    failed = False
    for title, look_at, action in STEPS:
        try:
            demo.step(title, look_at, lambda action=action: action(demo))  # type: ignore[misc]
        except NotAsExpected as wrong:
            demo.results.append((title, f"NOT AS EXPECTED: {wrong}", 0.0))
            failed = True
            break
    table = Table("step", "outcome", "seconds", title="What happened", title_justify="left")
    for title, outcome, seconds in demo.results:
        table.add_row(title, outcome, f"{seconds:.1f}")
    screen.print(table)
    if failed:
        return 1
    if stay:
        say_where(demo)
        stack.watch(layout)
    return 0


def say_where(demo: Demo) -> None:
    """Addresses, logins and commands, each on a line of its own, to be copied."""
    admin = next(each for each in people() if each.email == ADMINISTRATOR)
    key = demo.authenticator.key if demo.authenticator else "none"
    for line in what_next.lines(demo.place, admin, NEW_PASSWORD, key):
        screen.print(line, markup=False, highlight=False, soft_wrap=True)


if __name__ == "__main__":
    sys.exit(main())
