"""Files that the command line writes: always new ones."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from sync.domain.errors import Problem, Refused


@contextmanager
def new_file(output: Path, *, private: bool = False) -> Iterator[BinaryIO]:
    """`private`: only its owner reads it. Raises Refused for a file that is there already, and for one that cannot
    be written."""
    try:
        number = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600 if private else 0o666)
    except FileExistsError:
        raise Refused([Problem("output", f"{output} is there already", "name another file")]) from None
    except OSError as error:
        raise _unwritable(output, error) from None
    try:
        with os.fdopen(number, "wb") as file:
            yield file
    except OSError as error:
        raise _unwritable(output, error) from None


def _unwritable(output: Path, error: OSError) -> Refused:
    return Refused([Problem("output", f"{output} cannot be written: {error.strerror}")])
