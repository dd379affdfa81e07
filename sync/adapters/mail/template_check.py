"""Whether a company's own templates may be used: each is rendered with values that would show a mistake (F7).

Asked when a worker starts and by `fsm-identity ops mails check`, before anybody gets a mail.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from html import unescape
from pathlib import Path
from traceback import extract_tb
from typing import Final
from zoneinfo import ZoneInfo

from jinja2 import TemplateNotFound, TemplateSyntaxError, nodes
from jinja2.meta import find_undeclared_variables

from sync.adapters.mail.messages import PLACEHOLDERS, Password, password_reset, placeholders, welcome
from sync.adapters.mail.template_set import KINDS, SHARED, NoBlock, OwnTemplate, Templates, read
from sync.ports.signals import Message

NEEDED: Final = ("login_url", "username", "temporary_password")
"""Without one of them nobody can log in by the mail."""

LONGEST_SUBJECT: Final = 150
"""Characters; programs show fewer."""

_MARKUP: Final = "<Kim & 'Co'>"
"""A name that HTML must not hold as it is."""


def checked(folder: Path) -> tuple[Templates, list[str]]:
    """The templates of the folder, and all that is wrong with them: a line each, with file and line."""
    templates, problems = read(folder, Templates().languages)
    unreadable = [_misread(templates, name, each) for name, each in templates.own.items()]
    problems += [problem for some in unreadable for problem in some]
    if not problems:
        for name in templates.own:
            language, file = name.split("/")
            if language != SHARED and file.endswith(".txt"):
                problems += _misrendered(templates, language, file.removesuffix(".txt"))
    return templates, list(dict.fromkeys(problems))


def example(templates: Templates, kind: str, language: str, company: str = "Example Company") -> Message:
    """The mail to nobody, for people to look at. Raises Jinja's errors."""
    told: Password = {
        "message_id": "example@example.com",
        "to": "kim.example@example.com",
        "full_name": "Kim Example",
        "username": "kim.example@example.com",
        "temporary_password": "not-a-password",
        "expires_at": datetime.now(UTC) + timedelta(days=3),
        "time_zone": ZoneInfo("Europe/Berlin"),
        "login_url": "https://login.example.com/",
        "language": language,
        "company": company,
        "first_day": None,
    }
    return _LETTERS[kind](templates, **told)


_LETTERS: Final = dict(zip(KINDS, (welcome, password_reset), strict=True))


def _misread(templates: Templates, name: str, template: OwnTemplate) -> Iterator[str]:
    """Its syntax, and every placeholder, in branches that no example comes to as well."""
    environment = templates.environment
    try:
        tree = environment.parse(template.source, name, str(template.path))
        unknown = find_undeclared_variables(tree) - set(PLACEHOLDERS)
        environment.compile(template.source, name, str(template.path))
    except TemplateSyntaxError as error:
        yield f"{template.path}:{error.lineno}: {error.message}"
        return
    for node in tree.find_all(nodes.Name):
        if node.name in unknown:
            yield (
                f"{template.path}:{node.lineno}: there is no {node.name}; a mail knows {', '.join(PLACEHOLDERS)}"
            )


def _misrendered(templates: Templates, language: str, kind: str) -> Iterator[str]:
    name = f"{language}/{kind}"
    text = templates.own[f"{name}.txt"].path
    for company, first_day in (("", None), (f"Company {_MARKUP}", date(2026, 7, 1))):
        values = placeholders(
            full_name=f"Kim {_MARKUP}",
            username=f"kim{_MARKUP}@example.com",
            temporary_password=f"Password{_MARKUP}",
            expires_at=datetime(2026, 7, 3, 22, 30, tzinfo=UTC),
            time_zone=ZoneInfo("Europe/Berlin"),
            login_url="https://login.example.com/?a=1&b=2",
            company=company,
            first_day=first_day,
        )
        try:
            subject, body = templates.blocks(f"{name}.txt", values, ("subject", "text"))
        except NoBlock as error:
            yield f"{text}: has no block {error.args[0]}; a mail has subject and text"
            return
        except Exception as error:
            yield _failed(templates, text, error)
            return
        yield from _wrong_subject(text, subject, values)
        yield from _left_out(text, body, values)
        if f"{name}.html" not in templates.own:
            continue
        page = templates.own[f"{name}.html"].path
        try:
            html = templates.whole(f"{name}.html", values) or ""
        except Exception as error:
            yield _failed(templates, page, error)
            return
        yield from _left_out(page, unescape(html), values)
        if _MARKUP in html:
            yield f"{page}: writes a value without escaping it; take out what turns escaping off"


def _wrong_subject(path: Path, subject: str, values: Mapping[str, object]) -> Iterator[str]:
    if not subject:
        yield f"{path}: has an empty subject"
    if len(subject) > LONGEST_SUBJECT:
        yield f"{path}: has a subject of more than {LONGEST_SUBJECT} characters"
    if str(values["temporary_password"]) in subject:
        yield f"{path}: tells the password in the subject, which shows on locked screens and in logs"


def _left_out(path: Path, body: str, values: Mapping[str, object]) -> Iterator[str]:
    for needed in NEEDED:
        if str(values[needed]) not in body:
            yield f"{path}: leaves out {{{{ {needed} }}}}; nobody could log in by this mail"


def _failed(templates: Templates, path: Path, error: Exception) -> str:
    """Where the template went wrong, in this file or in one that it includes. The values are those of an example,
    so that an error can tell no secret."""
    if isinstance(error, TemplateSyntaxError):
        return f"{error.filename or path}:{error.lineno}: {error.message}"
    own = {str(each.path) for each in templates.own.values()}
    inside = [frame for frame in extract_tb(error.__traceback__) if frame.filename in own]
    where = f"{inside[-1].filename}:{inside[-1].lineno}" if inside else str(path)
    if isinstance(error, TemplateNotFound):
        return f"{where}: there is no {error.message}"
    return f"{where}: cannot be rendered: {error or type(error).__name__}"
