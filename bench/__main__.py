"""`python -m bench`: run every benchmark and write docs/benchmarks.md. A figure that is not reached stands too."""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime
from pathlib import Path

from bench import creating
from bench.keycloak import configured_keycloak
from sync.settings import KEYCLOAK_VERSION

REPORT = Path(__file__).parents[1] / "docs" / "benchmarks.md"


def main() -> None:
    with configured_keycloak() as place:
        people = creating.measure(place)
    machine = f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"
    text = f"""# Benchmarks

Written by `make bench`; ours and the baseline ran one after the other on the same Keycloak {KEYCLOAK_VERSION}
and the same machine ({machine}), {datetime.now(UTC):%Y-%m-%d}. Trust the ratios, not the absolute figures.

| measure | ours | baseline | ratio |
|---|---|---|---|
| people/s from wanted to a user with groups and a temporary password | {people.ours:.0f} | {people.plain:.0f} \
(python-keycloak: create_user with password, group_user_add ×2) | {people.ratio:.1f} |
"""
    REPORT.write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
