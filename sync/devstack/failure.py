"""What a person is told when a stack cannot be started or go on; the kinds stand beside what raises them."""

from __future__ import annotations


class StackFailure(Exception):
    """The message says what is wrong and how to mend it, and holds no secret."""
