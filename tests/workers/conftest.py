"""Workers' tests stand in the same world as those of the use cases."""

from __future__ import annotations

from tests.world import migrated, world  # noqa: F401 - fixtures
