"""`python -m bench [measure …]`: run the named measures and print them; without names run all and write
docs/benchmarks.md. `--people` makes the imports smaller, for a quick look. What is not reached stands too.
"""

from __future__ import annotations

import argparse
import os
import platform
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import psutil

from bench import at_once, claiming, comparison, cost, importing, one_change, starting
from bench.keycloak import Place, configured_keycloak
from bench.row import HEAD, Row
from sync.devstack.services.keycloak_archive import wanted_version

REPORT = Path(__file__).parents[1] / "docs" / "benchmarks.md"

MEASURES: Mapping[str, Callable[[Place, int], Sequence[Row]]] = {
    "comparison": comparison.report,
    "importing": importing.report,
    "at-once": at_once.report,
    "one-change": one_change.report,
    "cost": cost.report,
    "claiming": claiming.report,
    "starting": starting.report,
}
"""Each is given the place and how many people a large import has."""

PEOPLE = 10_000


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench")
    parser.add_argument("measure", nargs="*", metavar="MEASURE", help=f"one of {', '.join(MEASURES)}; default all")
    parser.add_argument(
        "--people", type=int, default=PEOPLE, help="people of a large import (default %(default)s)"
    )
    asked = parser.parse_args()
    unknown = set(asked.measure) - MEASURES.keys()
    if unknown:
        parser.error(f"there is no measure {', '.join(sorted(unknown))}; there are {', '.join(MEASURES)}")
    rows: list[Row] = []
    with configured_keycloak() as place:
        for name in asked.measure or MEASURES:
            print(f"  measuring {name}", flush=True)
            measured = MEASURES[name](place, asked.people)
            print("\n".join(str(row) for row in measured), flush=True)
            rows += measured
    table = "\n".join([HEAD, *(str(row) for row in rows)])
    if not asked.measure and asked.people == PEOPLE:
        REPORT.write_text(_report(table), encoding="utf-8")


def _report(table: str) -> str:
    memory = psutil.virtual_memory().total / 2**30
    machine = f"{os.cpu_count()} cores, {memory:.0f} GiB, {platform.machine()}, Python {platform.python_version()}"
    return f"""# Benchmarks

Written by `make bench`; ours and what it is measured against ran one after the other on the same Keycloak
{wanted_version()} and the same machine ({machine}), which serves Keycloak, our workers and the database alike,
{datetime.now(UTC):%Y-%m-%d}. Trust the ratios, not the absolute figures.

{table}

The import begins with an .xlsx on disk and ends with the last user in Keycloak; the mail lane, whose time is the
mail server's, does not run meanwhile. The raw loop only sends bodies that were made before.

What limits what is not reached: everything here shares the processors. A user without a password takes about
0.8 ms of them in Keycloak and 0.6 ms in ours (review, storing, claiming, sending, recording), and nothing waits
for anything else; of the plain loop and Keycloak only one works at a time. The cost of an account falls with
the size of the import by what an import costs once: the process that reads the file, and the first wake.
"""


if __name__ == "__main__":
    main()
