"""A mail of the company's own that must not be sent is refused before anybody gets it, with file and line."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from sync.adapters.mail.messages import PLACEHOLDERS
from sync.adapters.mail.template_check import checked, example
from sync.adapters.mail.template_set import LARGEST_BYTES, OwnTemplate, Templates

pytestmark = pytest.mark.supports("F7")

EXAMPLES = Path(__file__).parents[3] / "examples" / "mails"
TEXT = """\
{% block subject %}Welcome{% endblock %}
{% block text %}
{{ login_url }} {{ username }} {{ temporary_password }}
{% endblock %}
"""
HTML = "<p>{{ login_url }} {{ username }} {{ temporary_password }}</p>\n"


def problems(folder: Path, **files: str) -> list[str]:
    """What is said of a folder with these files: `__` is `/`, `_dot_` the dot. Without the folder itself."""
    for name, content in files.items():
        path = folder / name.replace("__", "/").replace("_dot_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    return [each.replace(f"{folder}/", "") for each in checked(folder)[1]]


def test_the_example_of_the_product_can_be_sent() -> None:
    """With its page that several mails share."""
    templates, wrong = checked(EXAMPLES)
    assert wrong == []
    mail = example(templates, "welcome", "de")
    assert mail.html is not None
    assert mail.html.startswith('<!doctype html>\n<html lang="de">')


@pytest.mark.parametrize("kind", ["welcome", "password-reset"])
@pytest.mark.parametrize("language", ["en", "de", "fr", "es"])
def test_our_own_mails_pass_the_check_as_well(tmp_path: Path, kind: str, language: str) -> None:
    """They are what a company begins with."""
    ours = Path("sync/adapters/mail/templates") / language / f"{kind}.txt"
    (tmp_path / language).mkdir()
    shutil.copy(Path(__file__).parents[3] / ours, tmp_path / language)
    assert checked(tmp_path)[1] == []


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (TEXT.replace("{{ username", "{{ user_name"), ":3: there is no user_name; a mail knows full_name"),
        (TEXT + "{% if 1 > 2 %}{{ nmae }}{% endif %}", ":5: there is no nmae"),
        (TEXT.replace("{{ login_url }}", ""), ": leaves out {{ login_url }}"),
        (TEXT.replace("{{ temporary_password }}", ""), ": leaves out {{ temporary_password }}"),
        (TEXT.replace("{{ username }}", ""), ": leaves out {{ username }}"),
        (TEXT.replace("{% block text %}", "{% block text }"), ":2: unexpected '}'"),
        (TEXT.replace("block subject", "block subjekt"), ": has no block subject"),
        (TEXT.replace("Welcome", ""), ": has an empty subject"),
        (TEXT.replace("Welcome", "W" * 200), ": has a subject of more than 150 characters"),
        (TEXT.replace("Welcome", "{{ temporary_password }}"), ": tells the password in the subject"),
        (TEXT.replace("Welcome", "{{ expires.strftme() }}"), ":1: cannot be rendered: "),
        (TEXT.replace("Welcome", "{{ 1 / 0 }}"), ":1: cannot be rendered: division by zero"),
        (
            TEXT.replace("Welcome", "{{ username.__class__.__mro__ }}"),
            ":1: cannot be rendered: access to attribute",
        ),
        (TEXT.replace("Welcome", "{% include 'shared/none.txt' %}"), ":1: there is no shared/none.txt"),
        (TEXT.replace("Welcome", "{% include '../../../etc/passwd' %}"), ":1: there is no ../../../etc/passwd"),
        (TEXT.replace("Welcome", "{{ full_name|saef }}"), ":1: No filter named 'saef'"),
        ("{% extends 'de/welcome.txt' %}", ": cannot be rendered: maximum recursion"),
        ("", ": has no block subject"),
    ],
)
def test_a_text_that_must_not_be_sent(tmp_path: Path, text: str, told: str) -> None:
    """The first thing that is said of it, at its line where there is one."""
    found = problems(tmp_path, de__welcome_dot_txt=text)
    assert found
    assert f"de/welcome.txt{told}" in found[0] or (told.startswith(": cannot") and told[2:] in found[0])


@pytest.mark.parametrize(
    ("html", "told"),
    [
        (HTML.replace("{{ temporary_password }}", ""), "de/welcome.html: leaves out {{ temporary_password }}"),
        (HTML.replace("username }}", "username|safe }}"), "de/welcome.html:1: No filter named 'safe'"),
        (
            "{% autoescape false %}" + HTML + "{% endautoescape %}",
            "de/welcome.html: writes a value without escaping it",
        ),
        ("\n<p>{{ passwort }}</p>" + HTML, "de/welcome.html:2: there is no passwort"),
    ],
)
def test_html_that_must_not_be_sent(tmp_path: Path, html: str, told: str) -> None:
    """Nor does a name of a file get to write HTML."""
    found = problems(tmp_path, de__welcome_dot_txt=TEXT, de__welcome_dot_html=html)
    assert any(each.startswith(told) for each in found), found


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("de__wellcome_dot_txt", "de/wellcome.txt: is no mail; did you mean welcome.txt?"),
        ("dee__welcome_dot_txt", "dee: is no language with mails; did you mean de?"),
        ("welcome_dot_txt", "welcome.txt: stands in no language"),
        ("de__welcome_dot_html", "de/welcome.html: has no welcome.txt beside it"),
    ],
)
def test_a_file_that_nobody_would_ever_send_is_said(tmp_path: Path, name: str, told: str) -> None:
    """A mistyped name would leave our mail in force in silence."""
    assert problems(tmp_path, **{name: TEXT})[0].startswith(told)


def test_files_of_other_kinds_do_not_disturb(tmp_path: Path) -> None:
    """A note beside the folders, and what tools hide there."""
    (tmp_path / ".git").mkdir()
    (tmp_path / "README.md").write_text("ours", encoding="utf-8")
    assert problems(tmp_path, de__welcome_dot_txt=TEXT) == []


def test_what_cannot_be_read_is_said(tmp_path: Path) -> None:
    """Bytes of another encoding by line, one that is too long, and a folder that is not there."""
    (tmp_path / "de").mkdir()
    (tmp_path / "de" / "welcome.txt").write_bytes(b"first\nsch\xf6n\n")
    (tmp_path / "de" / "password-reset.txt").write_bytes(b" " * (LARGEST_BYTES + 1))
    long, bytes_ = problems(tmp_path)
    assert "welcome.txt:2: is not UTF-8" in bytes_
    assert f"more than {LARGEST_BYTES} bytes" in long
    assert checked(tmp_path / "none")[1] == [f"{tmp_path / 'none'}: is not a folder"]


def test_a_file_that_changes_later_is_not_sent_unchecked(tmp_path: Path) -> None:
    """Workers go on with what they read at their start."""
    problems(tmp_path, de__welcome_dot_txt=TEXT)
    templates, _ = checked(tmp_path)
    (tmp_path / "de" / "welcome.txt").write_text("broken {{", encoding="utf-8")
    assert example(templates, "welcome", "de").subject == "Welcome"


def test_a_subject_is_one_line(tmp_path: Path) -> None:
    """Whatever the template is broken into."""
    text = TEXT.replace("Welcome", "Welcome\n  {{ full_name }}")
    templates = Templates({"en/welcome.txt": OwnTemplate(tmp_path, text)})
    assert example(templates, "welcome", "en").subject == "Welcome Kim Example"


def test_every_placeholder_that_is_offered_has_a_value() -> None:
    """And each can be written."""
    everything = TEXT.replace("Welcome", " ".join(f"{{{{ {each} }}}}" for each in PLACEHOLDERS))
    templates = Templates({"en/welcome.txt": OwnTemplate(Path("x"), everything)})
    assert "Europe/Berlin" in replace(example(templates, "welcome", "en")).subject
