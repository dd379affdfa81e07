"""How a number of things is said in a sentence."""

from __future__ import annotations


def counted(number: int, noun: str) -> str:
    """ "1 account", "2 accounts"."""
    plural = {"person": "people"}.get(noun, f"{noun}s")
    return f"1 {noun}" if number == 1 else f"{number} {plural}"
