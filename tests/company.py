"""A company with attributes of its own, one of each type: the mapping files of the package and one more."""

from __future__ import annotations

from pathlib import Path

from mappings import Policy, load

ATTRIBUTES = """
[attributes.cost_centre]
title = "Cost centre"
type = "text"
aliases = ["Kostenstelle"]
hr = "costCenter"
longest = 12

[attributes.desk_height]
title = "Desk height"
type = "number"
at_least = 60
at_most = 130
decimals = 2

[attributes.vehicle]
title = "Vehicle"
type = "choice"
choices.van = ["Van", "Transporter"]
choices.no_car = "No car"

[attributes.hired_on]
title = "Hired on"
type = "date"

[attributes.first_aider]
title = "First aider"
type = "yes/no"
"""


def company(folder: Path, attributes: str = ATTRIBUTES, **files: str) -> Policy:
    """`files`: other mapping files, by name without ending. Raises MappingErrors."""
    (folder / "attributes.toml").write_text(attributes, encoding="utf-8")
    for name, text in files.items():
        (folder / f"{name}.toml").write_text(text, encoding="utf-8")
    return load(folder)
