"""The rules for names, held against the real Keycloak: what passes ours is never refused there."""

from __future__ import annotations

import unicodedata
import uuid

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sync.domain.accounts.account import login_key
from sync.domain.accounts.spelling import invisible, one_form
from sync.domain.accounts.user_names import refused_names
from tests.contract.realm_setup import RealmAdmin

pytestmark = [pytest.mark.keycloak, pytest.mark.supports("A2")]

EXAMPLES = settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

ASCII = st.characters(min_codepoint=0x20, max_codepoint=0x7E)
LATIN = st.characters(min_codepoint=0xA1, max_codepoint=0x2AF) | st.characters(
    min_codepoint=0x1E00, max_codepoint=0x1EFF
)
OTHERS = (
    st.sampled_from("\u0430\u03b1\u0130\u0131\u0307\u2028\u00a0\u3000\u00ad日本\U00020bb7·€²’") | st.characters()
)
ANY = ASCII | LATIN | OTHERS
LONG = st.builds(lambda letter, count: letter * count, ANY, st.integers(250, 260))
TEXTS = st.text(ANY, min_size=1, max_size=12) | LONG

LOCAL_PARTS = st.text(st.sampled_from("ab1.-_+'!#$%&*/=?^`{|}~\u00e9 \"@("), min_size=1, max_size=8) | st.just(
    "x" * 64
)
LABELS = st.text(st.sampled_from("ab1-_\u00fc\u00df\u0131"), min_size=1, max_size=6) | st.sampled_from(
    ("a" * 63, "a" * 64, "\u00fc" * 55, "\u00fc" * 60, "xn--mller-kva", "xn--", "com", "example")
)
EMAILS = st.builds(
    lambda local, labels: f"{local}@{'.'.join(labels)}", LOCAL_PARTS, st.lists(LABELS, min_size=1, max_size=4)
)


def accepted(realm: RealmAdmin, **fields: str) -> bool:
    """Whether an administrator could make a user of these names, who is removed again."""
    name = f"kim.{uuid.uuid4().hex[:8]}@example.com"
    user = {"username": name, "email": name, "firstName": "Kim", "lastName": "Nowak", "enabled": True} | fields
    answer = realm.session.post(f"{realm.url}/users", json=user, timeout=30)
    if answer.status_code == 401:
        realm.call("GET", "")
        answer = realm.session.post(f"{realm.url}/users", json=user, timeout=30)
    assert answer.ok or answer.status_code == 400, answer.text[:300]
    if answer.ok:
        realm.call("DELETE", f"users/{answer.headers['Location'].rpartition('/')[2]}")
    return answer.ok


def passes(**given_names: str) -> bool:
    names = {"username": "kim.nowak", "email": "kim@example.com", "given_name": "Kim", "family_name": "Nowak"}
    return not list(refused_names(**(names | given_names)))


def is_usual(character: str) -> bool:
    """A letter of a language that is written in Latin ones, or ASCII."""
    latin = unicodedata.name(character, "").startswith("LATIN ")
    return character.isascii() or (latin and (character <= "\u02af" or "\u1e00" <= character <= "\u1eff"))


@EXAMPLES
@given(TEXTS)
def test_every_username_that_passes_the_door_is_one_to_keycloak(realm: RealmAdmin, text: str) -> None:
    """In the form in which it is kept. What Keycloak takes beside these is no letter, digit or usual sign."""
    username = login_key(text)
    if passes(username=username):
        assert accepted(realm, username=username), ascii(username)
    elif not invisible(username) and accepted(realm, username=username):
        assert not all(map(is_usual, username)), ascii(username)


@EXAMPLES
@given(TEXTS)
def test_names_of_persons_are_judged_alike(realm: RealmAdmin, text: str) -> None:
    """But for what nobody sees, which Keycloak takes."""
    name = one_form(text)
    if name and not invisible(name):
        assert passes(family_name=name) == accepted(realm, lastName=name), ascii(name)
        assert passes(given_name=name) == accepted(realm, firstName=name), ascii(name)


@EXAMPLES
@given(EMAILS)
def test_every_address_that_passes_the_door_is_one_to_keycloak(realm: RealmAdmin, text: str) -> None:
    """Also in the ASCII form that the door names."""
    email = login_key(text)
    if passes(email=email):
        assert accepted(realm, email=email), ascii(email)


USERNAMES = (
    *("ann", "an", "a b", "o'brien", "a+b@example.com", "a_b-c.d", "a`b", "a/b", "x" * 255, "x" * 256),
    *("ünal", "\u0430nn", "日本語", "\u0259li", "i\u0307nan", "\u03b1nna"),
)
ADDRESSES = (
    *("a@b.example", "ab.example", "a@@example.com", "a@example.com.", "a@-x.example", "x" * 65 + "@example.com"),
    *("a b@example.com", "a..b@example.com", ".a@example.com", "a'b@example.com", "a@x_y.example"),
    *(f"a@{'b' * 63}.example", f"a@{'b' * 64}.example", "a@xn--mller-kva.example", "j\u00f6rg@example.com"),
)
PERSONS = (
    *("O'Neill", "Müller-Lüdenscheidt", "José", "Иван", "Dr. A, B", "\U00020bb7" * 127, "\U00020bb7" * 128),
    *("Anna (HR)", "a/b", "a;b", "a§b", "x" * 255, "x" * 256),
)


def test_names_are_judged_as_keycloak_judges_them(realm: RealmAdmin) -> None:
    """Examples of everything that was ever taken for a name, each judged the same by both."""
    realm.call("GET", "")
    for username in USERNAMES:
        assert passes(username=username) == accepted(realm, username=username), ascii(username)
    for email in ADDRESSES:
        assert passes(email=email) == accepted(realm, email=email), ascii(email)
    for person in PERSONS:
        assert passes(given_name=person) == accepted(realm, firstName=person), ascii(person)
