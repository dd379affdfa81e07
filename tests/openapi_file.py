"""docs/openapi.json, the document that the API serves, as a file to make clients from.

`python -m tests.openapi_file` writes it; a test compares it with what is served.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

from sync.entrypoints.web.rest.api import create_api
from sync.entrypoints.web.rest.parts import Parts

FILE = Path(__file__).parents[1] / "docs" / "openapi.json"


def document() -> dict[str, Any]:
    """No route is asked, so nothing is needed that it works with."""
    return create_api(cast("Parts", None), "https://console.example.com").openapi()


def text(of: dict[str, Any]) -> str:
    """In one order, so that a change shows as what it is. Where it is served is no part of it."""
    return json.dumps({name: of[name] for name in of if name != "servers"}, indent=1, sort_keys=True) + "\n"


if __name__ == "__main__":
    FILE.write_text(text(document()), encoding="utf-8")
