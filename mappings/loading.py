"""Makes the Policy from the mapping files, or says everything that is wrong in them at once.

The files are a proposal, read by `load`; the policy in force is kept in our database as texts, and `load_texts`
makes it a Policy. Nothing else reads files.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from mappings import (
    branches,
    company_attributes,
    data_access,
    drift,
    field_service,
    guard,
    hr_rules,
    import_columns,
    profiles,
    realm,
    work_orders,
)
from mappings.data_access import DataAccessLevel
from mappings.files.problems import MappingErrors, MappingProblem, nearest
from mappings.files.reading import Document
from mappings.fingerprint import fingerprint
from mappings.policy import Policy
from mappings.profiles import Profile

FILES = (
    "profiles.toml",
    "branches.toml",
    "data_access.toml",
    "hr_rules.toml",
    "import_columns.toml",
    "attributes.toml",
    "work_orders.toml",
    "field_service.toml",
    "realm.toml",
    "drift.toml",
    "guard.toml",
)


def load(folder: Path | None = None) -> Policy:
    """Read and cross-check the mapping files.

    Without a folder these are the files of the package. A folder holds the files that replace those of the
    package, whole files only; what it does not hold comes from the package. Raises MappingErrors with every
    problem found.
    """
    return _load(lambda name: _source(name, folder), folder)


def load_texts(texts: Mapping[str, str], where: str) -> Policy:
    """The Policy of files that are kept as texts, such as those in force. A file that is not among them comes
    from the package: a version that kept them did not know it yet. `where` is what messages call their place.
    Raises MappingErrors."""

    def source(name: str) -> tuple[str, str]:
        return (f"{where}/{name}", texts[name]) if name in texts else _source(name, None)

    return _load(source, None)


def read_texts(folder: Path | None = None) -> dict[str, str]:
    """The files as `load` would read them, by name. Raises MappingErrors if one cannot be read."""
    return {name: _source(name, folder)[1] for name in FILES}


def _load(source: Callable[[str], tuple[str, str]], folder: Path | None) -> Policy:
    problems = _strangers(folder) if folder is not None else []
    documents: dict[str, Document | None] = {}
    for name in FILES:
        try:
            documents[name] = Document(*source(name))
        except MappingErrors as errors:
            problems += errors.problems
            documents[name] = None
    policy = _read(documents)
    for name, document in documents.items():
        if document is not None:
            document.refuse_unread()
            problems += _problems(name, document, folder)
    if problems or policy is None:
        raise MappingErrors(problems)
    return policy


def _strangers(folder: Path) -> list[MappingProblem]:
    """A file whose name is misspelled would leave the package's file in force without a word."""
    if not folder.is_dir():
        return [MappingProblem(str(folder), 1, "is not a folder")]
    return [
        MappingProblem(str(path), 1, "is not the name of a mapping file", nearest(path.name, FILES))
        for path in sorted(folder.glob("*.toml"))
        if path.name not in FILES
    ]


def _problems(name: str, document: Document, folder: Path | None) -> list[MappingProblem]:
    """All of them; of a file of the package only one that says what to do.

    The package's files fit each other: what does not fit now are the folder's, and whoever replaced the
    branches needs rules of their own rather than a list of all that are not.
    """
    found = sorted(document.problems.values(), key=lambda problem: problem.line)
    if folder is None or not found or (folder / name).exists():
        return found
    first = found[0]
    what = f"the package's file does not fit yours: {first.what}. Put a {name} of your own into {folder}"
    return [MappingProblem(first.file, first.line, what)]


def _source(name: str, folder: Path | None) -> tuple[str, str]:
    """What messages call the file, and its text."""
    own = folder / name if folder is not None else None
    shown = str(own) if own is not None and own.exists() else f"mappings/{name}"
    source = own if own is not None and own.exists() else files("mappings") / name
    try:
        return shown, source.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise MappingErrors([MappingProblem(shown, 1, f"is not UTF-8 text: {error.reason}")]) from None
    except OSError as error:
        raise MappingErrors([MappingProblem(shown, 1, f"cannot be read: {error.strerror}")]) from None


def _read(documents: dict[str, Document | None]) -> Policy | None:
    """Read what can be read, each file with the names it may use from the others.

    None if a file is not TOML at all; the others are looked through for problems all the same.
    """
    document = documents["data_access.toml"]
    levels = data_access.read(document) if document else None
    document = documents["profiles.toml"]
    found_profiles, features = profiles.read(document, levels) if document else (None, ())
    document = documents["realm.toml"]
    realm_policy = realm.read(document) if document else None
    document = documents["branches.toml"]
    languages = realm_policy.languages if realm_policy else None
    found_branches, teams = branches.read(document, languages) if document else (None, None)
    time_zone = branches.company_time_zone(document) if document else branches.UTC
    document = documents["hr_rules.toml"]
    rules = (
        hr_rules.read(document, profiles=found_profiles, branches=found_branches, teams=teams, levels=levels)
        if document
        else None
    )
    document = documents["import_columns.toml"]
    columns = import_columns.read(document) if document else None
    document = documents["attributes.toml"]
    attributes = company_attributes.read(document, columns) if document else None
    document = documents["work_orders.toml"]
    orders = work_orders.read(document) if document else None
    document = documents["field_service.toml"]
    schema = field_service.read(document) if document else None
    document = documents["drift.toml"]
    drift_policy = drift.read(document) if document else None
    document = documents["guard.toml"]
    guard_rules = guard.read(document) if document else None
    if (
        levels is None
        or found_profiles is None
        or found_branches is None
        or teams is None
        or rules is None
        or columns is None
        or attributes is None
        or orders is None
        or schema is None
        or realm_policy is None
        or drift_policy is None
        or guard_rules is None
    ):
        return None
    return Policy(
        profiles=found_profiles,
        branches=found_branches,
        teams=teams,
        data_access=levels,
        features=features,
        hr_rules=rules,
        import_columns=columns,
        attributes=attributes,
        work_orders=orders,
        field_service=schema,
        realm=realm_policy,
        drift=drift_policy,
        guard=guard_rules,
        time_zone=time_zone,
        fingerprint=fingerprint(
            found_profiles,
            found_branches,
            time_zone,
            levels,
            frozenset(features),
            rules,
            columns,
            attributes,
            orders,
            schema,
            realm_policy,
            drift_policy,
            guard_rules,
        ),
    )


@dataclass(frozen=True, slots=True)
class AccessFiles:
    """Profiles and levels of data access by key, and nothing of the other files."""

    profiles: Mapping[str, Profile]
    levels: Mapping[str, DataAccessLevel]


def read_access(texts: Mapping[str, str]) -> AccessFiles | None:
    """Whoever asks what a profile meant a year ago reads the files of then: other files beside them may have forms
    that this version does not know any more. None: one of the two files is not among them, or is not what this
    version reads."""
    try:
        levels_file, profiles_file = (
            Document(name, texts[name]) for name in ("data_access.toml", "profiles.toml")
        )
    except (KeyError, MappingErrors):
        return None
    levels = data_access.read(levels_file)
    found, _ = profiles.read(profiles_file, levels)
    if levels_file.problems or profiles_file.problems:
        return None
    return AccessFiles(found, levels)
