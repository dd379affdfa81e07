"""`fsm-identity realm` as an operator runs it: what it prints, and how it leaves."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from typer.testing import CliRunner, Result

from mappings import load
from mappings.loading import load_texts, read_texts
from sync.commands.mappings.in_force import adopt_first
from sync.commands.mappings.in_force import put_in_force as after
from sync.domain.realm.options import MailServer, RealmOptions
from sync.entrypoints.cli.realm import app
from sync.store import mappings as policies
from sync.store.database import schema
from sync.store.database.sealing import Sealer
from sync.store.database.transactions import Database
from sync.views.mappings import policy_of
from tests.realms import ConfiguredRealm
from tests.services import KeycloakServer
from tests.world import FIRST

pytestmark = [pytest.mark.keycloak, pytest.mark.req("C8")]

SECRETS = ("configure-hush-1", "worker-hush-2", "mail-hush-3")


@pytest.fixture(scope="module")
def our_database(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The URL of a database in which the shipped files were adopted."""
    url = f"sqlite:///{tmp_path_factory.mktemp('store') / 'our.db'}"
    schema.upgrade(url)
    database = Database(url, Sealer([Fernet.generate_key().decode()]))
    adopt_first(database, None, FIRST, datetime(2026, 3, 2, tzinfo=UTC))
    database.close()
    return url


@pytest.fixture
def settings(
    monkeypatch: pytest.MonkeyPatch, keycloak_server: KeycloakServer, realm_name: str, our_database: str
) -> pytest.MonkeyPatch:
    """The environment of the commands; every process that is neither Keycloak nor our database is out of reach."""
    configure, worker, mail = SECRETS
    for name, value in {
        "FSM_DATABASE_URL": our_database,
        "FSM_REDIS_URL": "redis://127.0.0.1:9/0",
        "FSM_FIELD_SERVICE_URL": "sqlite:///no-such-folder/y.db",
        "FSM_SECRET_KEYS": Fernet.generate_key().decode(),
        "FSM_KEYCLOAK__URL": keycloak_server.url,
        "FSM_KEYCLOAK__REALM": realm_name,
        "FSM_KEYCLOAK__CONFIGURE_SECRET": configure,
        "FSM_KEYCLOAK__WORKER_SECRET": worker,
        "FSM_MAIL__LOGIN_URL": "http://127.0.0.1:8000/",
        "FSM_MAIL__USERNAME": "fsm",
        "FSM_MAIL__PASSWORD": mail,
        "FSM_BOOTSTRAP_ADMIN_USERNAME": keycloak_server.admin,
        "FSM_BOOTSTRAP_ADMIN_PASSWORD": keycloak_server.password,
    }.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


@pytest.fixture
def applied(settings: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """The module's realm, bootstrapped and as wanted."""
    run("bootstrap")
    assert run("apply", "--yes").exit_code == 0
    return settings


def run(*words: str, answer: str | None = None) -> Result:
    result = CliRunner().invoke(app, words, input=answer)
    assert not [secret for secret in SECRETS if secret in result.output]
    return result


def test_from_nothing_to_nothing_to_change(settings: pytest.MonkeyPatch) -> None:
    """Bootstrap, look, apply; then plan and drift have nothing to say, and a second apply does nothing."""
    missing = run("plan")
    assert missing.exit_code == 1
    assert "fsm-identity realm bootstrap" in missing.output
    assert run("bootstrap").exit_code == 0

    plan = run("plan")
    assert plan.exit_code == 0
    assert "+ group /fsm/profiles/technician" in plan.output
    assert "smtpServer:password: (none) -> (secret)" in plan.output
    assert run("drift").exit_code == 1

    assert run("apply", answer="n\n").exit_code == 1
    assert "group /fsm/profiles/technician" in run("plan").output
    assert run("apply", "--yes").exit_code == 0
    for words in (["apply", "--yes"], ["plan"], ["drift"]):
        again = run(*words)
        assert (again.exit_code, "nothing to change" in again.output) == (0, True)


def test_drift_is_shown_with_exit_code_1(
    applied: pytest.MonkeyPatch, keycloak_server: KeycloakServer, realm_name: str
) -> None:
    """Somebody relaxed the lockout in Keycloak's console: the old and the new value, as words and as JSON."""
    address = f"{keycloak_server.url}/admin/realms/{realm_name}"
    keycloak_server.session().put(address, json={"failureFactor": 50}, timeout=30).raise_for_status()
    drift = run("drift")
    assert drift.exit_code == 1
    assert "failureFactor: 50 -> 5" in drift.output
    as_json = json.loads(run("drift", "--json").output)
    [difference] = as_json["differences"]
    assert difference == {
        "action": "change",
        "kind": "realm",
        "name": "settings",
        "existing": {"failureFactor": 50},
        "new": {"failureFactor": 5},
    }
    assert run("apply", "--yes", "--plan", as_json["fingerprint"][:12]).exit_code == 0


@pytest.mark.req("J6")
def test_other_ways_into_keycloak_are_put_back_or_named(
    applied: pytest.MonkeyPatch, keycloak_server: KeycloakServer, realm_name: str
) -> None:
    """What is ours to decide is wanted back: the e-mail address as username, the quick wrong passwords. What
    somebody else demands or gives to every user is named, with what follows, and left alone."""
    address = f"{keycloak_server.url}/admin/realms/{realm_name}"
    session = keycloak_server.session()
    ours = {"registrationEmailAsUsername": True, "quickLoginCheckMilliSeconds": 0}
    theirs = {"name": "shoe_size", "required": {"roles": ["admin", "user"]}, "permissions": {"edit": ["admin"]}}
    before = session.get(address, timeout=30).json()
    profile = session.get(f"{address}/users/profile", timeout=30).json()
    demanding = profile | {"attributes": [*profile["attributes"], theirs]}
    session.put(address, json=ours, timeout=30).raise_for_status()
    session.put(f"{address}/users/profile", json=demanding, timeout=30).raise_for_status()
    try:
        shown = run("drift")
        assert shown.exit_code == 1
        assert "registrationEmailAsUsername: true -> false" in shown.output
        assert f"quickLoginCheckMilliSeconds: 0 -> {before['quickLoginCheckMilliSeconds']}" in shown.output
        assert "the user profile demands shoe_size of every user" in shown.output
        assert run("apply", "--yes").exit_code == 0
        after = session.get(address, timeout=30).json()
        assert {name: after[name] for name in ours} == {name: before[name] for name in ours}
        kept = session.get(f"{address}/users/profile", timeout=30).json()["attributes"]
        assert "shoe_size" in [each["name"] for each in kept]
        assert "demands shoe_size" in run("plan").output
    finally:
        session.put(f"{address}/users/profile", json=profile, timeout=30).raise_for_status()


@pytest.mark.req("J6")
def test_what_the_realm_gives_everybody_is_named_until_it_is_known(
    applied: pytest.MonkeyPatch, keycloak_server: KeycloakServer, realm_name: str, our_database: str
) -> None:
    """A company's own default group: exit code 1 until somebody has put it into realm.toml, and again for the next
    one."""
    session, address = keycloak_server.session(), f"{keycloak_server.url}/admin/realms/{realm_name}"

    def make_default(name: str) -> None:
        made = session.post(f"{address}/groups", json={"name": name}, timeout=30)
        group = made.headers["Location"].rpartition("/")[2]
        session.put(f"{address}/default-groups/{group}", timeout=30).raise_for_status()

    make_default("newsletter")
    named = run("drift")
    assert (named.exit_code, "default group /newsletter" in named.output) == (1, True), named.output
    files = dict(read_texts())
    files["realm.toml"] = files["realm.toml"].replace("default_groups = []", 'default_groups = ["/newsletter"]')
    put_in_force(our_database, files)
    known = run("drift")
    assert (known.exit_code, "newsletter" in known.output) == (0, False), known.output
    make_default("later")
    assert "default group /later" in run("drift").output
    for group in session.get(f"{address}/default-groups", timeout=30).json():
        session.delete(f"{address}/groups/{group['id']}", timeout=30).raise_for_status()
    put_in_force(our_database, read_texts())


def test_a_plan_that_has_changed_since_the_review_is_refused(applied: pytest.MonkeyPatch) -> None:
    """The fingerprint that was reviewed must be the plan's."""
    refused = run("apply", "--yes", "--plan", "0123456789ab")
    assert refused.exit_code == 1
    assert "look at it again" in refused.output


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("FSM_KEYCLOAK__CONFIGURE_SECRET", "wrong", "fsm-configure"),
        ("FSM_KEYCLOAK__CONFIGURE_SECRET", None, "FSM_KEYCLOAK__CONFIGURE_SECRET"),
        ("FSM_KEYCLOAK__URL", "http://127.0.0.1:9", "not reachable"),
        ("FSM_KEYCLOAK__REALM", "no-such-realm", "no-such-realm"),
    ],
)
def test_what_is_wrong_is_said(
    applied: pytest.MonkeyPatch, variable: str, value: str | None, message: str
) -> None:
    """Wrong secret, no secret, no Keycloak, no realm: one line that names it, exit code 1."""
    if value is None:
        applied.delenv(variable)
    else:
        applied.setenv(variable, value)
    refused = run("plan")
    assert refused.exit_code == 1
    assert message in refused.output


def test_bootstrap_with_a_wrong_administrator(settings: pytest.MonkeyPatch) -> None:
    """Nothing is made, and the message says who was refused."""
    settings.setenv("FSM_BOOTSTRAP_ADMIN_PASSWORD", "wrong")
    refused = run("bootstrap")
    assert refused.exit_code == 1
    assert "administrator" in refused.output


def put_in_force(url: str, files: Mapping[str, str]) -> None:
    """These files, adopted after those that are in force."""
    database = Database(url, Sealer([Fernet.generate_key().decode()]))
    with database.write() as tx:
        before = policies.newest(tx)
        policy = load_texts(files, "the test")
        after(tx, before and policy_of(before), files, policy.fingerprint, FIRST, datetime.now(UTC))
    database.close()


@pytest.mark.req("E7", "C8")
def test_older_files_of_a_machine_undo_nothing(
    applied: pytest.MonkeyPatch,
    keycloak_server: KeycloakServer,
    realm_name: str,
    tmp_path: Path,
    our_database: str,
) -> None:
    """Dispatchers were taken scheduling; a machine that still has the files of before gives it back to nobody, and
    shows what it would be only if it is asked to look ahead with them."""
    files = dict(read_texts())
    files["profiles.toml"] = files["profiles.toml"].replace(
        '"work-orders", "scheduling", "customers"', '"work-orders", "customers"'
    )
    put_in_force(our_database, files)
    assert run("apply", "--yes").exit_code == 0
    for name, text in read_texts().items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    applied.setenv("FSM_MAPPINGS_FOLDER", str(tmp_path))
    for words in (("apply", "--yes"), ("plan",), ("drift",)):
        said = run(*words)
        assert (said.exit_code, "nothing to change" in said.output) == (0, True), said.output
    ahead = run("plan", str(tmp_path))
    assert "fsm/scheduling" in ahead.output
    assert "these mapping files are not those in force: apply goes by them once they are adopted" in ahead.output
    assert "nothing to change" in run("plan").output
    put_in_force(our_database, read_texts())
    assert run("apply", "--yes").exit_code == 0
    assert "nothing to change" in run("plan", str(tmp_path)).output


@pytest.mark.req("E7", "C8")
def test_files_that_come_into_force_while_somebody_looks_stop_the_apply(
    applied: pytest.MonkeyPatch,
    keycloak_server: KeycloakServer,
    realm_name: str,
    monkeypatch: pytest.MonkeyPatch,
    our_database: str,
) -> None:
    """What was shown is by then not what is wanted."""
    address = f"{keycloak_server.url}/admin/realms/{realm_name}"
    keycloak_server.session().put(address, json={"failureFactor": 50}, timeout=30).raise_for_status()
    files = dict(read_texts())
    files["guard.toml"] = files["guard.toml"].replace("accounts = 50", "accounts = 51")

    def meanwhile(*_: object, **__: object) -> bool:
        put_in_force(our_database, files)
        return True

    with monkeypatch.context() as patched:
        patched.setattr("sync.entrypoints.cli.realm.typer.confirm", meanwhile)
        said = run("apply")
    assert said.exit_code == 1
    assert "other mapping files have come into force meanwhile; nothing was done" in said.output
    assert "failureFactor: 50 -> 5" in run("plan").output
    put_in_force(our_database, read_texts())
    assert run("apply", "--yes").exit_code == 0


@pytest.mark.req("E7", "C8")
def test_taking_a_feature_from_many_needs_the_plan_or_the_number(
    applied: pytest.MonkeyPatch, keycloak_server: KeycloakServer, realm_name: str, our_database: str
) -> None:
    """Eleven dispatchers lose scheduling: it is told, `--yes` alone does not do, and another number neither.
    Limits of files that are only proposed do not judge."""
    options = RealmOptions("http://127.0.0.1:8000", MailServer("127.0.0.1", 25, "fsm@example.com"), {})
    realm = ConfiguredRealm(keycloak_server, realm_name, load(), options)
    for number in range(11):
        dispatcher = {"username": f"dispatcher{number}", "enabled": True, "groups": ["/fsm/profiles/dispatcher"]}
        realm.send("POST", "users", dispatcher)
    fewer = dict(read_texts())
    fewer["profiles.toml"] = fewer["profiles.toml"].replace(
        '"work-orders", "scheduling", "customers"', '"customers"'
    )
    put_in_force(our_database, fewer)
    told = run("plan")
    assert "11 in /fsm/profiles/dispatcher lose fsm/scheduling, fsm/work-orders" in told.output
    assert "needs --plan: 11 accounts would be able to do or see less: 100 % of 11" in told.output
    alone = run("apply", "--yes")
    assert alone.exit_code == 1
    assert "look at it, then: fsm-identity realm apply --yes --plan" in alone.output
    wrong = run("apply", answer="12\n")
    assert (wrong.exit_code, "that is another number; nothing was done" in wrong.output) == (1, True)
    fingerprint = json.loads(run("plan", "--json").output)["fingerprint"]
    assert run("apply", "--yes", "--plan", fingerprint[:12]).exit_code == 0
    assert run("drift").exit_code == 0
    put_in_force(our_database, read_texts())
    assert run("apply", "--yes").exit_code == 0


@pytest.mark.req("E7", "C8")
def test_proposed_files_do_not_lift_the_limits_that_they_exceed(
    applied: pytest.MonkeyPatch, keycloak_server: KeycloakServer, realm_name: str, tmp_path: Path
) -> None:
    """Looked at before they are adopted: those in force judge."""
    options = RealmOptions("http://127.0.0.1:8000", MailServer("127.0.0.1", 25, "fsm@example.com"), {})
    realm = ConfiguredRealm(keycloak_server, realm_name, load(), options)
    for number in range(11):
        reader = {"username": f"reader{number}", "enabled": True, "groups": ["/fsm/profiles/accountant"]}
        realm.send("POST", "users", reader)
    text, limits = read_texts()["profiles.toml"], read_texts()["guard.toml"]
    accountant = text.index('title = "Accountant"')
    features = text.index('"reports"', accountant)
    fewer = text[:features] + text[features:].replace('"reports", ', "", 1)
    (tmp_path / "profiles.toml").write_text(fewer)
    (tmp_path / "guard.toml").write_text(
        limits.replace("accounts = 50", "accounts = 500").replace("= 10", "= 100")
    )
    told = run("plan", str(tmp_path))
    assert "lose fsm/reports" in told.output
    assert "needs --plan: 11 accounts" in told.output


@pytest.mark.req("H1", "C8")
def test_the_realm_carries_the_id_of_its_installation(
    applied: pytest.MonkeyPatch,
    keycloak_server: KeycloakServer,
    realm_name: str,
    our_database: str,
    tmp_path: Path,
) -> None:
    """A realm without it differs, and `apply` writes it. With another database the plan says whose the realm is
    and nothing can be applied or bootstrapped, until a person takes it over by name and with a reason."""
    address = f"{keycloak_server.url}/admin/realms/{realm_name}"
    realm = keycloak_server.session().get(address, timeout=30).json()
    ours = realm["attributes"].pop("fsm.installation")
    keycloak_server.session().put(address, json=realm, timeout=30).raise_for_status()
    assert f"attributes:fsm.installation: (none) -> '{ours}'" in run("plan").output
    assert run("apply", "--yes").exit_code == 0
    assert run("drift").exit_code == 0

    other = f"sqlite:///{tmp_path / 'other.db'}"
    schema.upgrade(other)
    put_in_force(other, read_texts())
    applied.setenv("FSM_DATABASE_URL", other)
    told = run("plan")
    assert told.exit_code == 0
    assert f"the realm is that of installation {ours}" in told.output
    assert run("drift").exit_code == 1
    relaxed = {"failureFactor": 50}
    keycloak_server.session().put(address, json=relaxed, timeout=30).raise_for_status()
    for words in (("apply", "--yes"), ("bootstrap",)):
        refused = run(*words)
        assert refused.exit_code == 1
        assert f"realm take-over {ours} --reason" in refused.output
    assert "failureFactor: 50 -> 5" in run("plan").output
    why = ("--reason", "the old database is gone")
    wrong = run("take-over", "00000000-0000", *why)
    assert (wrong.exit_code, f"is that of installation {ours}" in wrong.output) == (1, True)
    assert run("take-over", ours, *why).exit_code == 0
    assert "is ours already" in run("take-over", ours, *why).output
    assert run("apply", "--yes").exit_code == 0
    assert run("drift").exit_code == 0

    applied.setenv("FSM_DATABASE_URL", our_database)
    [told_back] = json.loads(run("plan", "--json").output)["findings"]
    assert "the realm is that of installation" in told_back
    [theirs] = re.findall(r"realm take-over (\S+)", told_back)
    assert run("take-over", theirs, *why).exit_code == 0
    assert run("drift").exit_code == 0
