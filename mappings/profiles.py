"""Profiles: what a person may do, as `profiles.toml` says it (A3, A4).

A profile is the only thing that grants features; nobody is granted a feature one by one.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Profile:
    """One profile. `rank` orders who may grant what: nobody grants above the own rank (I4)."""

    key: str
    title: str
    rank: int
    features: frozenset[str]
    default_data_access: str
    highest_data_access: str
    second_factor: bool
    session_cap: int | None
    field_work: bool
    """True: with a technician link the account carries the field-technician role (B3)."""
    aliases: tuple[str, ...] = ()
