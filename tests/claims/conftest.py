"""A running issuer and a reader that trusts it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sync.claims import ClaimsReader, PublishedKeys
from tests.claims.issuer import NOW, Issuer, Seconds, running_issuer


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with running_issuer() as running:
        yield running


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


@pytest.fixture
def reader(issuer: Issuer, seconds: Seconds) -> ClaimsReader:
    keys = PublishedKeys(f"{issuer.url}/protocol/openid-connect/certs", clock=seconds)
    return ClaimsReader(issuer.url, keys, audience="work-orders", clock=lambda: NOW)
