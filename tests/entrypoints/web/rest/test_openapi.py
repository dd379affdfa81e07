"""The document of the API is a file of ours, so that nobody changes what clients see without seeing it."""

from __future__ import annotations

from tests.entrypoints.web.rest.conftest import Company
from tests.openapi_file import FILE, text


def test_the_file_is_what_is_served(firm: Company) -> None:
    """Mend it by `python -m tests.openapi_file`."""
    served = firm.api.get("/api/v1/openapi.json").json()
    assert served["openapi"].startswith("3.1")
    assert FILE.read_text(encoding="utf-8") == text(served)
