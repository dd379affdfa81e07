"""Column titles of staff files by language, as `import_columns.toml` says it (F1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mappings.attributes import BUILT_IN
from mappings.files.names import name_key
from mappings.files.reading import Document


@dataclass(frozen=True, slots=True)
class ImportColumn:
    """One field of the import. `titles` maps a language code to the titles by which the column is known."""

    field: str
    required: bool
    titles: Mapping[str, tuple[str, ...]]


FULL_NAME = "full_name"
"""Given and family name in one column."""

FIELDS = tuple(
    name
    for each in BUILT_IN
    if each.in_files
    for name in ((each.key, FULL_NAME) if each.key == "family_name" else (each.key,))
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
    titled = {each.key: each.titles for each in BUILT_IN if each.titles}
    for missing in (field for field in FIELDS if field not in tables):
        if missing in titled:
            columns.append(column_of(missing, titled[missing], columns))
        else:
            document.root.report("columns", f"has no table for the field {missing}")
    return tuple(
        sorted((column for column in columns if column.field in FIELDS), key=lambda c: FIELDS.index(c.field))
    )


def column_of(field: str, titles: tuple[str, ...], known: Sequence[ImportColumn]) -> ImportColumn:
    """A column whose titles stand in no file: the same ones in every language of the columns that are known."""
    languages = sorted({language for column in known for language in column.titles})
    return ImportColumn(field, required=False, titles=dict.fromkeys(languages, titles))
