"""Signing keys are fetched once, renewed when the issuer rotates them, and never a lever against the issuer."""

from __future__ import annotations

import httpx
import pytest

from sync.claims import ClaimsReader, InvalidToken, KeysUnavailable, PublishedKeys
from tests.claims.issuer import Issuer, Seconds, rsa_key

pytestmark = pytest.mark.req("A6")


def test_keys_are_fetched_once(issuer: Issuer, reader: ClaimsReader) -> None:
    """Reading many tokens asks the issuer once."""
    for _ in range(5):
        reader.read(issuer.token())
    assert issuer.paths == ["/realms/fsm/protocol/openid-connect/certs"]


def test_a_rotated_key_is_found(issuer: Issuer, reader: ClaimsReader, seconds: Seconds) -> None:
    """A token signed with a new key makes the reader look again, once."""
    reader.read(issuer.token())
    issuer.keys.insert(0, rsa_key("second"))
    seconds.value += 11
    for _ in range(3):
        assert reader.read(issuer.token()).profile == "dispatcher"
    assert issuer.asked == 2


def test_unknown_keys_do_not_flood_the_issuer(issuer: Issuer, reader: ClaimsReader, seconds: Seconds) -> None:
    """A thousand forged key ids within ten seconds cost one request, and good tokens are still read."""
    reader.read(issuer.token())
    seconds.value += 11
    stranger = rsa_key("stranger")
    forged = issuer.token(stranger)
    for _ in range(50):
        with pytest.raises(InvalidToken, match="does not publish"):
            reader.read(forged)
    assert issuer.asked == 2
    assert reader.read(issuer.token()).profile == "dispatcher"


def test_a_withdrawn_key_stops_being_good(issuer: Issuer, reader: ClaimsReader, seconds: Seconds) -> None:
    """Keys are fetched again after ten minutes: one the issuer took back signs nothing any more."""
    stolen = issuer.keys[0]
    reader.read(issuer.token(stolen))
    issuer.keys[:] = [rsa_key("second")]
    seconds.value += 601
    with pytest.raises(InvalidToken, match="does not publish"):
        reader.read(issuer.token(stolen))


def test_an_outage_of_the_issuer_is_outlived(issuer: Issuer, reader: ClaimsReader, seconds: Seconds) -> None:
    """Known keys serve for an hour while the issuer fails, and it is asked every ten seconds at most."""
    reader.read(issuer.token())
    issuer.status = 503
    seconds.value += 3599
    for _ in range(5):
        assert reader.read(issuer.token()).profile == "dispatcher"
    assert issuer.asked == 2
    seconds.value += 2
    with pytest.raises(KeysUnavailable):
        reader.read(issuer.token())
    issuer.status = 200
    seconds.value += 11
    assert reader.read(issuer.token()).profile == "dispatcher"


@pytest.mark.supports("A6")
@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(500),
        httpx.Response(200, text="<html>maintenance</html>"),
        httpx.Response(200, json=["not", "a", "key", "set"]),
        httpx.Response(200, json={"keys": "none"}),
        httpx.Response(200, json={"keys": [], "padding": "x" * 300_000}),
        httpx.Response(302, headers={"Location": "https://elsewhere.example.com/keys"}),
    ],
)
def test_an_answer_that_is_no_key_set_verifies_nothing(answer: httpx.Response) -> None:
    """Nothing can be verified: that is 503 for the application, not a verdict on the token."""
    http = httpx.Client(transport=httpx.MockTransport(lambda _request: answer))
    with pytest.raises(KeysUnavailable):
        PublishedKeys("https://login.example.com/keys", http=http).key("first")


@pytest.mark.supports("A6")
def test_an_issuer_that_cannot_be_reached_verifies_nothing() -> None:
    """A refused connection is KeysUnavailable as well."""
    with pytest.raises(KeysUnavailable):
        PublishedKeys("http://127.0.0.1:9/keys").key("first")


def test_a_key_not_understood_does_not_hide_the_others(issuer: Issuer, reader: ClaimsReader) -> None:
    """RFC 7517, section 5: unknown kinds of keys are left out."""
    issuer.extra += [
        {"kty": "AKP", "kid": "future", "use": "sig"},
        {"kty": "RSA", "kid": "broken"},
        {"kid": "none"},
    ]
    assert reader.read(issuer.token()).profile == "dispatcher"
