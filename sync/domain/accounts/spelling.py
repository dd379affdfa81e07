"""The one form in which names are kept, and the characters that nobody sees (A2). Pure.

The same name can be spelled in several ways that look alike: composed or not, with two blanks or one, with a soft
hyphen or a mark that turns the reading direction. Doors keep the one form; what cannot be seen they refuse, and a
staff file is read without it, which the review says.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

_DRAWN_AS_NOTHING = frozenset(
    map(chr, (0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2800, 0x3164, 0xFFA0, *range(0x180B, 0x1810)))
) | frozenset(map(chr, (*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))))
"""Letters, marks and symbols by their category, of which nothing is drawn: fillers, joiners, variation selectors
(Unicode's Default_Ignorable_Code_Point, and the empty Braille pattern)."""

_JUMPS = frozenset("\r\v\f\x1c\x1d\x1e\x1f\x85\u2028\u2029")


def one_form(text: str) -> str:
    """Composed (NFC), one blank between words, none at the ends. Idempotent."""
    return unicodedata.normalize("NFC", " ".join(text.split()))


def only_respelled(wanted: str | None, found: str | None) -> bool:
    """Another spelling of the same: there is nothing in it that anybody could want."""
    return found is not None and found != wanted and one_form(found) == wanted


def invisible(text: str) -> tuple[str, ...]:
    """The characters of the text that nobody sees, each once: control and format characters, half characters, what
    Unicode gives no meaning. Blanks and line breaks are none of them: `one_form` makes them one blank."""
    if text.isascii() and text.isprintable():
        return ()
    return tuple(dict.fromkeys(character for character in text if _is_invisible(character)))


def without_invisible(text: str) -> str:
    """The text as it looks."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(character for character in text if not _is_invisible(character))


def spelled_out(text: str) -> str:
    """For a terminal, which would obey some of them: what cannot be seen, and blanks that jump, by their names."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        f"<{code_points(character)}>" if _is_invisible(character) or character in _JUMPS else character
        for character in text
    )


def code_points(characters: Iterable[str]) -> str:
    """How characters are called that cannot be shown: "U+200B, U+00AD"."""
    return ", ".join(f"U+{ord(character):04X}" for character in characters)


def _is_invisible(character: str) -> bool:
    return character in _DRAWN_AS_NOTHING or not (character.isprintable() or character.isspace())
