"""Column titles of staff files by language, as `import_columns.toml` says it (F1)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mappings.names import name_key
from mappings.reading import Document


@dataclass(frozen=True, slots=True)
class ImportColumn:
    """One field of the import. `titles` maps a language code to the titles by which the column is known."""

    field: str
    required: bool
    titles: Mapping[str, tuple[str, ...]]


FIELDS = (
    "username",
    "email",
    "given_name",
    "family_name",
    "full_name",
    "employee_number",
    "profile",
    "branch",
    "team",
    "data_access",
    "technician_id",
    "valid_from",
    "valid_until",
)
"""What a staff file may say of a person, in the order of the template's columns."""


def read(document: Document) -> tuple[ImportColumn, ...]:
    """All fields in the order of FIELDS. A title belongs to one field only, whatever its language."""
    tables = document.root.entries("columns", FIELDS, "field")
    owners: dict[str, str] = {}
    columns = []
    for field, table in tables.items():
        titles_table = table.table("titles")
        titles = {language: titles_table.texts(language) for language in titles_table.names()}
        if not any(titles.values()):
            table.report("titles", "must hold at least one title")
        for language, texts in titles.items():
            for title in texts:
                owner = owners.setdefault(name_key(title), field)
                if owner != field:
                    titles_table.report(language, f'"{title}" is also a title of {owner}')
        columns.append(ImportColumn(field=field, required=table.boolean("required"), titles=titles))
    for missing in (field for field in FIELDS if field not in tables):
        document.root.report("columns", f"has no table for the field {missing}")
    return tuple(
        sorted((column for column in columns if column.field in FIELDS), key=lambda c: FIELDS.index(c.field))
    )
