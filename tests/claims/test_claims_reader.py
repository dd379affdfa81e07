"""The reader accepts a genuine token of exactly one profile, and nothing that only looks like one."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import OctKey
from joserfc.jws import JWSRegistry

from sync.claims import (
    ClaimsReader,
    FsmClaims,
    InvalidToken,
    NoAccess,
    PublishedKeys,
    TokenExpired,
    parse,
)
from sync.claims.keys import PublicKey
from tests.claims.issuer import NOW, PERSON, Issuer, ec_key, rsa_key

pytestmark = pytest.mark.req("A6")


def unsigned(header: dict[str, Any], payload: dict[str, Any], signature: str = "") -> str:
    parts = [
        base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in (header, payload)
    ]
    return ".".join([*parts, signature])


def test_a_genuine_token_is_read(issuer: Issuer, reader: ClaimsReader) -> None:
    """One token says profile, features, branch, team, data access and technician."""
    assert reader.read(issuer.token()) == FsmClaims(
        subject="0192f0c1-0000-7000-8000-000000000001",
        profile="dispatcher",
        features=frozenset({"scheduling", "work-orders"}),
        data_access="branch",
        branch="hamburg",
        branches=("hamburg",),
        team="hamburg-north",
        technician_id="T-0042",
        session_id="session-1",
        expires_at=datetime.fromtimestamp(NOW + 240, UTC),
    )


def test_an_elliptic_curve_key_will_do(issuer: Issuer, reader: ClaimsReader) -> None:
    """ES256 is on the list of allowed algorithms, and its keys are published beside RSA keys."""
    issuer.keys.append(ec_key("second"))
    token = issuer.token(issuer.keys[1], alg="ES256")
    assert reader.read(token).profile == "dispatcher"


@pytest.mark.parametrize("signature", ["", "AAAA"])
@pytest.mark.parametrize("alg", ["none", "None", "NONE"])
def test_an_unsigned_token_is_refused(issuer: Issuer, reader: ClaimsReader, alg: str, signature: str) -> None:
    """RFC 8725, 3.2: `alg: none` proves nothing, however it is spelt."""
    with pytest.raises(InvalidToken, match="algorithm is not allowed"):
        reader.read(unsigned({"alg": alg, "kid": "first"}, issuer.claims(), signature))


@pytest.mark.parametrize("encoding", [Encoding.PEM, Encoding.DER])
def test_the_public_key_is_no_shared_secret(issuer: Issuer, reader: ClaimsReader, encoding: Encoding) -> None:
    """RFC 8725, 2.1: HS256 signed with what everybody can read is refused."""
    public = issuer.keys[0].public_key.public_bytes(encoding, PublicFormat.SubjectPublicKeyInfo)
    token = jwt.encode(
        {"alg": "HS256", "kid": "first"},
        issuer.claims(),
        OctKey.import_key(base64.b64encode(public)),
        registry=JWSRegistry(algorithms=["HS256"]),
    )
    with pytest.raises(InvalidToken, match="algorithm is not allowed"):
        reader.read(token)


def test_a_symmetric_key_that_is_published_is_not_used(issuer: Issuer, reader: ClaimsReader) -> None:
    """A key set that leaks a symmetric key does not make it a signing key."""
    issuer.extra.append({"kty": "oct", "kid": "shared", "k": "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0", "use": "sig"})
    forged = unsigned({"alg": "RS256", "kid": "shared"}, issuer.claims(), "AAAA")
    with pytest.raises(InvalidToken, match="does not publish"):
        reader.read(forged)


def test_a_strangers_key_is_refused(issuer: Issuer, reader: ClaimsReader) -> None:
    """A token that names a published key and is signed with another one."""
    with pytest.raises(InvalidToken, match="signature is wrong"):
        reader.read(issuer.token(rsa_key("first")))


def test_a_changed_payload_is_refused(issuer: Issuer, reader: ClaimsReader) -> None:
    """The signature covers the claims: nobody promotes himself."""
    header, _, signature = issuer.token().split(".")
    better = issuer.claims(fsm={**PERSON, "profile": "administrator"})
    payload = unsigned({}, better).split(".")[1]
    with pytest.raises(InvalidToken, match="signature is wrong"):
        reader.read(f"{header}.{payload}.{signature}")


def test_an_encryption_key_signs_nothing(issuer: Issuer, reader: ClaimsReader) -> None:
    """RFC 7517, 4.2: a key published with `use: enc` is not for signatures."""
    key = rsa_key("encryption")
    issuer.extra.append({**key.as_dict(private=False), "use": "enc"})
    with pytest.raises(InvalidToken, match="does not publish"):
        reader.read(issuer.token(key))


def test_a_key_is_used_with_its_own_algorithm_only(issuer: Issuer, reader: ClaimsReader) -> None:
    """RFC 7517, 4.4: a key that says RS256 does not verify PS256."""
    issuer.keys.append(rsa_key("only-rs256", alg="RS256"))
    token = issuer.token(issuer.keys[0], alg="PS256")
    header = unsigned({"alg": "PS256", "kid": "only-rs256", "typ": "JWT"}, {}).split(".")[0]
    with pytest.raises(InvalidToken, match="not the one its key is for"):
        reader.read(".".join([header, *token.split(".")[1:]]))


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ({"kid": ...}, "names no key"),
        ({"kid": 7}, "not a signed token|names no key|cannot be verified"),
        ({"crit": ["b64"], "b64": False}, "crit|cannot be verified"),
        ({"jwk": {"kty": "RSA"}}, "signature is wrong|cannot be verified"),
    ],
)
def test_a_header_with_tricks_is_refused(
    issuer: Issuer, reader: ClaimsReader, header: dict[str, Any], reason: str
) -> None:
    """A header chooses among our keys and algorithms; it brings none and switches nothing off."""
    complete = {"alg": "RS256", "kid": "first", **header}
    complete = {name: value for name, value in complete.items() if value is not ...}
    with pytest.raises(InvalidToken, match=reason):
        reader.read(unsigned(complete, issuer.claims(), "AAAA"))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"iss": "https://login.example.com/realms/other"}, "another issuer"),
        ({"iss": ...}, "another issuer"),
        ({"aud": "payroll"}, "another application"),
        ({"aud": ...}, "another application"),
        ({"aud": []}, "another application"),
        ({"typ": "ID"}, "not a bearer access token"),
        ({"typ": ...}, "not a bearer access token"),
        ({"nbf": NOW + 60}, "not valid yet"),
        ({"iat": NOW + 60}, "not valid yet"),
        ({"nbf": "soon"}, "nbf is not a time"),
        ({"exp": ...}, "exp is not a time"),
        ({"exp": True}, "exp is not a time"),
        ({"exp": 1e400}, "not a time"),
        ({"sub": ...}, "no subject"),
        ({"sub": ""}, "no subject"),
    ],
)
def test_a_token_for_somebody_else_or_another_time_is_refused(
    issuer: Issuer, reader: ClaimsReader, changes: dict[str, Any], reason: str
) -> None:
    """Issuer, audience, kind and times are checked, each by itself."""
    with pytest.raises(InvalidToken, match=reason):
        reader.read(issuer.token(**changes))


def test_an_expired_token_is_refused_and_says_so(issuer: Issuer, reader: ClaimsReader) -> None:
    """Expired is its own error: the client refreshes. Clocks may differ by the leeway of ten seconds."""
    assert reader.read(issuer.token(exp=NOW - 9)).profile == "dispatcher"
    with pytest.raises(TokenExpired):
        reader.read(issuer.token(exp=NOW - 10))


def test_the_client_a_token_was_made_for_can_be_required(issuer: Issuer) -> None:
    """`authorized_parties` compares with `azp`, for tokens that carry no audience of ours."""
    keys = PublishedKeys(f"{issuer.url}/protocol/openid-connect/certs")
    reader = ClaimsReader(issuer.url, keys, authorized_parties={"fsm-console"}, clock=lambda: NOW)
    assert reader.read(issuer.token(azp="fsm-console")).branch == "hamburg"
    with pytest.raises(InvalidToken, match="azp"):
        reader.read(issuer.token(azp="mobile-app"))


@pytest.mark.parametrize(
    "configuration",
    [
        {},
        {"audience": ""},
        {"audience": "work-orders", "algorithms": ["HS256"]},
        {"audience": "work-orders", "algorithms": ["none"]},
        {"audience": "work-orders", "algorithms": []},
    ],
)
def test_a_reader_that_would_accept_too_much_is_not_made(issuer: Issuer, configuration: dict[str, Any]) -> None:
    """A token for any application, a symmetric algorithm or none cannot be configured."""
    with pytest.raises(ValueError):
        ClaimsReader(issuer.url, PublishedKeys("http://127.0.0.1:9/"), **configuration)


@pytest.mark.req("A4")
@pytest.mark.parametrize(
    ("profile", "reason"),
    [
        (..., "no profile"),
        (None, "no profile"),
        ("", "no profile"),
        ([], "no profile"),
        (["dispatcher", "administrator"], "2 values for profile"),
        (["dispatcher", "dispatcher"], "2 values for profile"),
        ({"dispatcher": True}, "malformed"),
        ([["dispatcher"]], "malformed"),
        (7, "malformed"),
    ],
)
def test_anything_but_exactly_one_profile_is_no_access(
    issuer: Issuer, reader: ClaimsReader, profile: Any, reason: str
) -> None:
    """None or two profiles, or something that is no profile: the token is genuine and gives nothing."""
    claim = {name: value for name, value in {**PERSON, "profile": profile}.items() if value is not ...}
    with pytest.raises(NoAccess, match=reason):
        reader.read(issuer.token(fsm=claim))


@pytest.mark.req("A4")
def test_a_list_of_one_profile_is_one_profile(issuer: Issuer, reader: ClaimsReader) -> None:
    """Keycloak sends a list when it is told to show every profile somebody has."""
    assert reader.read(issuer.token(fsm={**PERSON, "profile": ["dispatcher"]})).profile == "dispatcher"


@pytest.mark.parametrize("claim", [..., None, [], "dispatcher", ["dispatcher"]])
def test_a_token_without_the_claim_is_no_access(issuer: Issuer, reader: ClaimsReader, claim: Any) -> None:
    """Somebody of the realm who has no account in the FSM system."""
    with pytest.raises(NoAccess, match="no fsm claim"):
        reader.read(issuer.token(fsm=claim))


@pytest.mark.parametrize("level", [..., "", ["branch", "global"]])
def test_no_data_access_level_is_no_access(issuer: Issuer, reader: ClaimsReader, level: Any) -> None:
    """An application that forgets to look must not show everything."""
    claim = {name: value for name, value in {**PERSON, "data_access": level}.items() if value is not ...}
    with pytest.raises(NoAccess, match="data_access"):
        reader.read(issuer.token(fsm=claim))


@pytest.mark.supports("A6")
def test_absent_and_empty_are_the_same_to_a_reader() -> None:
    """What a person does not have may be left out, null, or an empty list."""
    payload = {"sub": "p", "exp": NOW}
    least = {"profile": "manager", "data_access": "global"}
    absent = parse({**payload, "fsm": least})
    empty = {"branch": "", "branches": [], "team": [], "technician_id": None, "features": []}
    assert absent == parse({**payload, "fsm": {**least, **empty}})
    assert (absent.branch, absent.branches, absent.team, absent.technician_id) == (None, (), None, None)
    assert absent.features == frozenset()


def test_features_come_from_the_claim_only(issuer: Issuer, reader: ClaimsReader) -> None:
    """Roles and scopes beside the claim grant nothing."""
    token = issuer.token(
        realm_access={"roles": ["fsm-profile-administrator"]},
        resource_access={"fsm": {"roles": ["user-management"]}},
        scope="user-management",
    )
    assert reader.read(token).features == {"scheduling", "work-orders"}


class NoKeys:
    """The issuer must not be asked for the sake of a text that is no token."""

    def key(self, key_id: str) -> PublicKey:
        raise AssertionError(f"asked for {key_id}")


@pytest.mark.supports("A6")
@given(token=st.one_of(st.text(max_size=60), st.from_regex(r"[A-Za-z0-9_-]{0,20}(\.[A-Za-z0-9_-]{0,20}){2}")))
def test_no_text_brings_the_reader_down(token: str) -> None:
    """Whatever comes in the header of a request ends as InvalidToken, before any key is fetched."""
    with pytest.raises(InvalidToken):
        ClaimsReader("https://login.example.com", NoKeys(), audience="a").read(token)


def test_a_giant_token_is_refused_unread(reader: ClaimsReader) -> None:
    """Nothing is decoded that no issuer of ours would have made."""
    with pytest.raises(InvalidToken, match="longer than"):
        reader.read("a" * 20_000)


def test_errors_do_not_repeat_the_token(issuer: Issuer, reader: ClaimsReader) -> None:
    """A refused token may still be good elsewhere: no part of it reaches a log."""
    token = issuer.token(iss="https://login.example.com/realms/other")
    with pytest.raises(InvalidToken) as refused:
        reader.read(token)
    assert not any(part in str(refused.value) for part in token.split("."))


@pytest.mark.supports("A6")
def test_the_reader_stands_alone() -> None:
    """An application takes sync.claims with joserfc and httpx, and nothing else of this project comes along."""
    code = (
        "import sys, sync.claims\n"
        "ours = {n for n in sys.modules if n.split('.')[0] in ('sync', 'mappings', 'workers')}\n"
        "foreign = {'pydantic', 'sqlalchemy', 'celery', 'keycloak', 'fastapi'} & set(sys.modules)\n"
        "print(sorted(n for n in ours if n != 'sync' and not n.startswith('sync.claims')), sorted(foreign))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[] []"
