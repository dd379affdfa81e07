"""The error file of an import: the original rows that were not applied, and what is wrong with each (F5).

It can be mended and imported again as it is: the titles are those of the first file, a column that a person had to
name by hand has one that the import knows, and the column of messages means nothing to it.
"""

from __future__ import annotations

from sync.desk import Desk
from sync.domain.access.scope import Scope
from sync.domain.errors import Problem, Refused
from sync.domain.imports.verdict import findings
from sync.spreadsheet.header import titles_to_import_again
from sync.spreadsheet.writing import FileKind, write_table
from sync.store.runs import progress, run_rows
from sync.store.runs.progress import Place
from sync.store.runs.run_rows import RunRow
from sync.store.runs.runs import Run

MESSAGES = "Messages"


def error_file(desk: Desk, scope: Scope, run: Run, kind: FileKind) -> bytes:
    """Rows that are errors, were refused, or are in quarantine. Raises Refused if there are none, and for a scope
    of one branch."""
    scope.require_everything("runs")
    with desk.db.read() as tx:
        rows = run_rows.rows(tx, run.id)
        places = progress.places(tx, run.id)
    told = [
        (row, "; ".join(messages)) for row in rows if (messages := what_is_wrong(run, row, places.get(row.number)))
    ]
    if not told:
        raise Refused([Problem("run", f"the import of {run.source} has no row with an error")])
    titles: dict[str, str] = run.options["titles"]
    return write_table(
        kind,
        [*titles_to_import_again(titles, run.options["fields"], desk.policy.staff_columns), MESSAGES],
        [[*(row.original.get(letters, "") for letters in titles), message] for row, message in told],
        sheet="Errors",
    )


def what_is_wrong(run: Run, row: RunRow, place: tuple[Place, str | None] | None) -> tuple[str, ...]:
    """Why the row is not in Keycloak for good; columns are named by their titles, for rows move. Empty: it is,
    or is on its way."""
    if row.result_message:
        return (row.result_message,)
    if place is not None and place[0] == "quarantined":
        return (f"stored, but Keycloak refuses it: {place[1]}",)
    titles = run.options["titles"]
    told = []
    for finding in findings(row.messages, "errors"):
        title = titles.get(finding.address.rstrip("0123456789"), "")
        remedy = f" ({finding.remedy})" if finding.remedy else ""
        told.append(f"{title}: {finding.reason}{remedy}" if title else f"{finding.reason}{remedy}")
    return tuple(told)
