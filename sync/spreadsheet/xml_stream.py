"""Events of an XML part of a package, in constant memory and without ever meeting a document type.

expat itself is used, because a DOCTYPE must be refused before its entities are defined (F8) and element
objects for each of a million cells cost more than everything else together.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from typing import IO, Protocol
from xml.parsers import expat

from sync.spreadsheet.limits import FileRefused

CHUNK = 2**16
DAMAGED = "open it in a spreadsheet program and save it again"


class Handler(Protocol):
    """Receives elements by their local names: the prefixes differ from program to program."""

    def start(self, name: str, attributes: Mapping[str, str]) -> None: ...
    def end(self, name: str) -> None: ...
    def characters(self, text: str) -> None: ...


def feed(archive: zipfile.ZipFile, part: str, handler: Handler) -> Iterator[None]:
    """Parse one part into the handler, pausing after each chunk so that the caller may take what is ready.

    Raises FileRefused for a DOCTYPE, for XML that is not well-formed and for a part that is missing or damaged.
    """
    # Safe although it is expat: the DOCTYPE handler below raises before an entity can be declared.
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _refuse_doctype
    parser.StartElementHandler = _by_local_name(handler.start)
    parser.EndElementHandler = lambda name: handler.end(name.rpartition(":")[2])
    parser.CharacterDataHandler = handler.characters
    try:
        with _opened(archive, part) as stream:
            while chunk := stream.read(CHUNK):
                parser.Parse(chunk, False)  # noqa: FBT003 - expat takes it by position only
                yield
            parser.Parse(b"", True)  # noqa: FBT003
            yield
    except KeyError:
        raise FileRefused(f"the file lacks its part {part}", DAMAGED) from None
    except (expat.ExpatError, zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError) as error:
        raise FileRefused(f"the file is damaged ({part}: {error})", DAMAGED) from None


def _opened(archive: zipfile.ZipFile, part: str) -> IO[bytes]:
    """Raises KeyError for a part that is missing. A place before the file's beginning, or a name that cannot be
    read, is a ValueError to zipfile."""
    try:
        return archive.open(part)
    except ValueError as error:
        raise zipfile.BadZipFile(str(error)) from None


def _by_local_name(start: Callable[[str, Mapping[str, str]], None]) -> Callable[[str, dict[str, str]], None]:
    return lambda name, attributes: start(name.rpartition(":")[2], attributes)


def _refuse_doctype(*_: object) -> None:
    raise FileRefused(
        "the file declares an XML document type, which a spreadsheet never needs", "do not trust this file"
    )
