"""docs/claims.md is the contract: its token and its program are run."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from sync.claims import FsmClaims, InvalidToken, LiveCheckUnavailable, NoAccess, parse
from tests.claims.issuer import NOW, PERSON, Issuer

pytestmark = pytest.mark.supports("A6")

DOCUMENT = (Path(__file__).parents[2] / "docs" / "claims.md").read_text(encoding="utf-8")


def block(language: str) -> str:
    found = re.findall(rf"```{language}\n(.*?)```", DOCUMENT, re.DOTALL)
    assert len(found) == 1
    return str(found[0])


def test_the_token_of_the_document_is_read() -> None:
    """The example token names every field, and the reader understands each."""
    claims = parse(json.loads(block("json")))
    assert (claims.profile, claims.data_access, claims.technician_id) == ("technician", "personal", "T-0042")
    assert claims.features == {"assigned-work", "mobile-app"}
    assert claims.attributes == {"cost_centre": "4711"}
    assert (claims.branch, claims.branches, claims.team) == ("hamburg", ("hamburg",), "hamburg-klima")


def test_the_table_names_every_field_of_the_claim() -> None:
    """Fields of the table, of the example token and of `FsmClaims` are the same."""
    table = set(re.findall(r"^\| `(\w+)` \|", DOCUMENT, re.MULTILINE))
    not_in_the_claim = {"subject", "session_id", "expires_at"}
    assert table == set(json.loads(block("json"))["fsm"])
    assert table == set(FsmClaims.__dataclass_fields__) - not_in_the_claim


def test_the_program_of_the_document_runs(issuer: Issuer) -> None:
    """The Python example, pointed at our issuer: reads, refuses a feature, and asks whether the session lives."""
    program: dict[str, Any] = {}
    source = block("python").replace("https://login.example.com/realms/fsm", issuer.url)
    exec(compile(source, "docs/claims.md", "exec"), program)
    program["reader"]._clock = lambda: NOW
    assert program["who_asks"](f"Bearer {issuer.token()}").profile == "dispatcher"
    with pytest.raises(NoAccess, match="invoicing"):
        program["invoice"](f"Bearer {issuer.token()}")
    with pytest.raises(InvalidToken):
        program["invoice"]("Bearer nonsense")
    with pytest.raises(LiveCheckUnavailable):
        program["invoice"](f"Bearer {issuer.token(fsm={**PERSON, 'features': ['invoicing']})}")
