"""`fsm-identity ops mails check` and `preview`: who writes mails sees them before anybody gets one."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from sync.entrypoints.cli import app, mail
from sync.settings import SettingsError
from sync.wiring import workers
from tests.entrypoints.cli.conftest import Run, done
from tests.entrypoints.web.conftest import MakeSettings, make_settings  # noqa: F401 - a fixture

pytestmark = pytest.mark.req("F7")

EXAMPLES = Path(__file__).parents[4] / "examples" / "mails"


@pytest.fixture
def run() -> Run:
    """Runs one command. No database is there."""
    return lambda *arguments: CliRunner().invoke(app, ["ops", "mails", *arguments])


def test_a_mail_is_seen_before_it_is_sent(run: Run) -> None:
    """In the language asked for, as text and as HTML; what the folder lacks is ours."""
    own = ("preview", "welcome", "--language", "de", "--folder", str(EXAMPLES))
    assert done(run(*own)).startswith("Subject: Willkommen bei Example Company\n\nHallo Kim Example,")
    assert done(run(*own, "--html")).startswith("<!doctype html>")
    ours = ("preview", "password-reset", "--language", "es", "--folder", str(EXAMPLES))
    assert "restablecido" in done(run(*ours))
    assert "es/password-reset has no HTML" in run(*ours, "--html").output
    assert run("preview", "farewell").exit_code == 2
    assert run("preview", "--language", "it").exit_code == 2


def test_the_check_says_whose_each_mail_is(run: Run) -> None:
    listed = json.loads(done(run("check", "--folder", str(EXAMPLES), "--json")))
    assert [each for each in listed if each["text"] == "yours"] == [
        {"language": "de", "mail": "welcome", "text": "yours", "html": True}
    ]
    assert len(listed) == 8


def test_a_wrong_mail_is_refused_with_its_line_by_the_check_and_at_the_start(
    run: Run,
    tmp_path: Path,
    make_settings: MakeSettings,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The folder that the settings name: a worker does not start with it. All that is wrong is said at once."""
    folder = tmp_path / "mails"
    shutil.copytree(EXAMPLES, folder)
    page = folder / "de" / "welcome.html"
    page.write_text(page.read_text(encoding="utf-8").replace("full_name", "fullname"), encoding="utf-8")
    (folder / "de" / "pasword-reset.txt").write_text("", encoding="utf-8")
    settings = make_settings(
        {"worker_secret": "hidden-secret"},
        mail={"login_url": "https://app.example.com", "templates_folder": folder},
    )
    monkeypatch.setattr(mail, "load_settings", lambda: settings)
    said = run("check")
    assert said.exit_code == 1
    wrong = (
        "de/welcome.html:4: there is no fullname",
        "pasword-reset.txt: is no mail; did you mean password-reset",
    )
    assert all(each in said.output.replace("\n", "") for each in wrong), said.output
    with pytest.raises(SettingsError, match="there is no fullname"):
        workers.build(settings)
