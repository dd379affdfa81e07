"""What a profile lets people do, as an application reads it in their tokens: of those that ship, and of one that a
company adds in a file (A3)."""

from __future__ import annotations

import pytest

from examples.browser import payload
from sync.claims import FsmClaims, parse
from tests.e2e.command_line import PASSWORD_SHOWN, CommandLine
from tests.e2e.place import Place
from tests.realms import PASSWORD

pytestmark = [pytest.mark.usefixtures("a_worker"), pytest.mark.keycloak, pytest.mark.stack, pytest.mark.req("A3")]

WHY = ("--reason", "as the ticket says")

SHIPPED = {
    "Administrator": "work-orders scheduling customers team-data reports invoicing financial-reports dashboards"
    " user-management operations",
    "Manager": "work-orders customers team-data reports financial-reports dashboards",
    "Accountant": "customers reports invoicing financial-reports",
    "Dispatcher": "work-orders scheduling customers team-data reports",
    "Technician": "mobile-app assigned-work",
    "Read-Only": "reports dashboards",
}
"""Title to features."""

WAREHOUSE = """
[profiles.warehouse]
title = "Warehouse"
rank = 25
features = ["work-orders", "dashboards"]
default_data_access = "branch"
highest_data_access = "branch"
second_factor = false
session_cap = 2
field_work = false
aliases = ["Lager"]
"""


def token_of_somebody_new(shell: CommandLine, place: Place, profile: str) -> FsmClaims:
    """Made at the command line with this profile, and logged in for the first time."""
    name = profile.lower().replace(" ", "-")
    email = f"kim.{name}@example.com"
    names = ("--email", email, "--given-name", "Kim", "--family-name", profile, "--employee-number", name)
    made = shell.done("account", "create", *names, "--profile", profile, "--branch", "Hamburg", *WHY)
    [password] = PASSWORD_SHOWN.findall(made)
    browser = place.browser()
    page = browser.log_in(email, password)
    while page.code is None:
        if page.asks == "set up code":
            page, _ = browser.set_up_code(page)
        else:
            page = browser.submit(page, **{"password-new": PASSWORD, "password-confirm": PASSWORD})
    return parse(payload(browser.tokens(page)["access_token"]))


@pytest.mark.parametrize("profile", SHIPPED)
def test_the_six_profiles_give_their_features(shell: CommandLine, place: Place, profile: str) -> None:
    """Each what it says, and nothing else."""
    claims = token_of_somebody_new(shell, place, profile)
    assert claims.profile == profile.lower()
    assert claims.features == set(SHIPPED[profile].split())


def test_a_company_adds_a_profile_in_a_file(shell: CommandLine, place: Place) -> None:
    """Copied, written, adopted, applied: the next one who is made has it. Nobody wrote code or started anything
    anew."""
    shell.done("mappings", "copy", "own", "--in-force")
    profiles = shell.folder / "own" / "profiles.toml"
    profiles.write_text(profiles.read_text(encoding="utf-8") + WAREHOUSE, encoding="utf-8")
    before = ("account", "create", "--email", "lu@example.com", "--given-name", "Lu", "--family-name", "Lager")
    shell.run(*before, "--profile", "Lager", "--branch", "Hamburg", *WHY).refused("'Lager' is unknown")
    shell.done("mappings", "adopt", "own", "--yes", *WHY)
    shell.done("realm", "apply", "--yes")
    claims = token_of_somebody_new(shell, place, "Warehouse")
    assert (claims.profile, claims.data_access, claims.branch) == ("warehouse", "branch", "hamburg")
    assert claims.features == {"work-orders", "dashboards"}
