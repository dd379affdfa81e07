"""What is kept of many accounts, read page by page (G2)."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import event

from sync.domain.access.scope import Scope
from sync.store.reports import AccessQuery, PastPage, pasts
from tests.world import World, migrated, world  # noqa: F401 - fixtures

pytestmark = pytest.mark.supports("G2")


def counted(world: World, query: AccessQuery) -> tuple[PastPage, int]:  # noqa: F811
    """The page, and how many statements it took."""
    said: list[str] = []

    def keep(*told: Any) -> None:
        said.append(told[2])

    with world.systems.db.read() as tx:
        event.listen(tx.connection, "before_cursor_execute", keep)
        page = pasts(tx, Scope.all(), query)
        event.remove(tx.connection, "before_cursor_execute", keep)
    return page, len(said)


def test_a_page_takes_as_many_statements_however_many_accounts_are_on_it(world: World) -> None:  # noqa: F811
    """One for the accounts, and one for each thing that is kept of them."""
    for number in range(12):
        world.join(f"p{number:02}.berg")
    world.work()
    at = world.clock.now()
    few, statements = counted(world, AccessQuery(at, limit=1))
    many, same = counted(world, AccessQuery(at, limit=12))
    assert (len(few.items), len(many.items)) == (1, 12)
    assert statements == same == 5
    assert all(past.given and past.wanted and past.tried for _, past in many.items)


def test_pages_follow_each_other(world: World) -> None:  # noqa: F811
    """Nobody twice, nobody left out."""
    for number in range(5):
        world.join(f"p{number}.berg")
    query, seen = AccessQuery(world.clock.now(), limit=2), list[str]()
    page, _ = counted(world, query)
    seen += [key for key, _ in page.items]
    while page.next is not None:
        page, _ = counted(world, AccessQuery(query.at, after=page.next, limit=2))
        seen += [key for key, _ in page.items]
    assert seen == [f"p{number}.berg@example.com" for number in range(5)]
