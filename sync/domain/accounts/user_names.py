"""Which usernames, e-mail addresses and names of persons a user in Keycloak can have: the one set of rules (A2).

Doors and reviews of files refuse by it what Keycloak would refuse later, and the gateway judges by it before it
creates anybody, because Keycloak's import takes any name (fact: importing-judges-no-names). It is that of the
stock user profile (fact: names-are-judged-when-posted), narrower in what no mail server takes and in what nobody
sees. Pure.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence

from mappings.attributes import LONGEST
from sync.domain.accounts.spelling import code_points, invisible
from sync.domain.errors import Problem

SHORTEST_USERNAME = 3

LONGEST_LOCAL_PART = 64
"""RFC 5321, section 4.5.3.1.1."""

LONGEST_LABEL = 63
"""RFC 1035, section 2.3.4."""

_IN_USERNAMES = re.compile(r"[A-Za-z0-9+\-.@_\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u02af\u1e00-\u1eff]*")
"""Latin letters, with and without accents, digits and five signs. Keycloak has a list of what it refuses; it takes
some signs more, such as those of currencies, of which nobody makes a name to log in with."""

_NOT_IN_NAMES = frozenset('<>&"$%!#?§;*~/\\|^=[]{}()')
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_ADDRESS = re.compile(rf"{_ATOM}(?:\.{_ATOM})*@{_LABEL}(?:\.{_LABEL})+")


def refused_names(*, username: str, email: str, given_name: str, family_name: str) -> tuple[Problem, ...]:
    """Everything that is wrong with these names, in the form in which an account keeps them. What is wrong with an
    e-mail address is not said again of the username that is the same."""
    of_email = _email(email)
    said = of_email and username == email
    return (
        *(() if said else _username(username, derived=username == email)),
        *of_email,
        *_person("given_name", given_name),
        *_person("family_name", family_name),
    )


def unfit(field: str, text: str, longest: int = LONGEST) -> Sequence[Problem]:
    """Of any text of an account: that it is too long, counted in UTF-16 units as Keycloak does, or that something
    in it cannot be seen."""
    length = len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2
    unseen = invisible(text)
    if length <= longest and not unseen:
        return ()
    found = []
    if length > longest:
        found.append(Problem(field, f"is longer than {longest} characters: it has {length}", "write it shorter"))
    if unseen:
        reason = f"has a character that cannot be seen: {code_points(unseen)}"
        found.append(Problem(field, reason, "type it again"))
    return found


def _username(username: str, *, derived: bool) -> Iterator[Problem]:
    yield from unfit("username", username)
    if len(username) < SHORTEST_USERNAME:
        reason = f"{username!r} is shorter than {SHORTEST_USERNAME} characters"
        yield Problem("username", reason, "choose a longer one")
    if not _IN_USERNAMES.fullmatch(username) and (told := _told(_IN_USERNAMES.sub("", username))):
        remedy = "write it in Latin letters, digits, dots, hyphens, underscores, plus signs or @"
        if derived:
            remedy = "it is the e-mail address: give the account a username of its own"
        yield Problem("username", f"has what Keycloak refuses in usernames: {told}", remedy)


def _email(email: str) -> Sequence[Problem]:
    """The form of an address is judged where nothing narrower is wrong with it."""
    local, _, domain = email.rpartition("@")
    found = list(unfit("email", email))
    if len(email) <= LONGEST:
        found += [*_local_part(local), *_domain(local, domain)]
    if not found and not _ADDRESS.fullmatch(email):
        found.append(Problem("email", f"{email!r} is not an e-mail address", "write it like name@example.com"))
    return found


def _local_part(local: str) -> Iterator[Problem]:
    if len(local) > LONGEST_LOCAL_PART:
        reason = f"has {len(local)} characters before the @"
        yield Problem("email", reason, f"at most {LONGEST_LOCAL_PART} are an address")
    if not local.isascii() and not invisible(local):
        told = _told(each for each in local if not each.isascii())
        yield Problem("email", f"has before the @ what few mail servers take: {told}", "write it in ASCII letters")


def _domain(local: str, domain: str) -> Iterator[Problem]:
    form = domain if domain.isascii() else ascii_form(domain)
    longest = max((form or domain).split("."), key=len)
    if len(longest) > LONGEST_LABEL:
        reason = f"the part {longest[:20]!r}… of the domain has {len(longest)} characters"
        yield Problem("email", reason, f"at most {LONGEST_LABEL} are a domain")
    elif form is not None and form != domain:
        reason = f"the domain {domain!r} is not in its ASCII form"
        yield Problem("email", reason, f"write the address as {local}@{form}")


def ascii_form(domain: str) -> str | None:
    """The form in which the domain name system knows it (RFC 5891, section 4.4); itself where it is ASCII, None
    where it has anything but letters, digits, hyphens and dots. Both are in lower case and composed."""
    labels = domain.split(".")
    if not all(label and label.replace("-", "").isalnum() for label in labels):
        return None
    return ".".join(label if label.isascii() else f"xn--{label.encode('punycode').decode()}" for label in labels)


def _person(field: str, name: str) -> Iterator[Problem]:
    if not name:
        yield Problem(field, "is missing", "every account belongs to a named person")
    yield from unfit(field, name)
    if not _NOT_IN_NAMES.isdisjoint(name):
        told = _told(each for each in name if each in _NOT_IN_NAMES)
        yield Problem(field, f"has what Keycloak refuses in names: {told}", "write the name in letters")


def _told(wrong: Iterable[str]) -> str:
    """Each once: signs as they are, what may look like something else by its name in Unicode."""
    shown = dict.fromkeys(each for each in wrong if not invisible(each))
    return ", ".join(map(_called, shown))


def _called(character: str) -> str:
    if character.isspace():
        return "a blank"
    if character.isascii() or character == "§":
        return character
    return f"{code_points(character)} {unicodedata.name(character, '')}".strip()
