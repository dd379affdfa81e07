"""What was done to a chain is told apart, in our database and in an export (G1)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from sync.domain.audit.anchor import AnchorUnreadable, anchor_line, anchors_in
from sync.domain.audit.export import lines, verify_lines
from sync.domain.audit.link import BEGINNING, Entry, Head, Link, link
from sync.domain.audit.verifying import TOLD, Flaw, Stored, verify

pytestmark = pytest.mark.supports("G1")

NOW = datetime(2026, 3, 2, 8, 30, tzinfo=UTC)


def entry(number: int, reason: str = "joins") -> Entry:
    return Entry(
        id=f"entry-{number:04}",
        at=NOW + timedelta(seconds=number),
        actor="kim",
        door="command line",
        origin="person",
        caller_kind="machine",
        caller_id="1000",
        caller_host="desk-1",
        action="create",
        account_id=f"account-{number}",
        before={"life": None},
        after={"life": "active", "name": "Zoë"},
        reason=reason,
        correlation_id=f"entry-{number:04}",
    )


def stored(made: Link, entry: Entry | None) -> Stored:
    return Stored(made.body, made.number, made.hash, entry, compared=True)


def chain(length: int, after: Head = BEGINNING, first: int = 1) -> list[Stored]:
    """A whole one."""
    found = []
    for number in range(first, first + length):
        made = link(entry(number), after, NOW)
        found.append(stored(made, entry(number)))
        after = made.head
    return found


WHOLE = chain(9)
HEAD = Head(9, WHOLE[-1].own_hash)


def changed_text(links: list[Stored]) -> list[Stored]:
    links[3] = replace(links[3], body=links[3].body.replace("joins", "leaves"))
    return links


def changed_and_hashed_again(links: list[Stored]) -> list[Stored]:
    new = replace(links[3], body=links[3].body.replace("joins", "leaves"))
    links[3] = replace(new, hash=new.own_hash, entry=entry(4, "leaves"))
    return links


def changed_hash(links: list[Stored]) -> list[Stored]:
    links[3] = replace(links[3], hash="f" * 64)
    return links


def changed_entry(links: list[Stored]) -> list[Stored]:
    links[3] = replace(links[3], entry=entry(4, "leaves"))
    return links


def missing(links: list[Stored]) -> list[Stored]:
    del links[3]
    return links


def missing_at_the_beginning(links: list[Stored]) -> list[Stored]:
    return links[2:]


def missing_entry(links: list[Stored]) -> list[Stored]:
    links[3] = replace(links[3], entry=None)
    return links


def inserted(links: list[Stored]) -> list[Stored]:
    """With the right hash before it, and all numbers behind it shifted in their column."""
    forged = link(entry(77), Head(3, links[2].own_hash), NOW)
    rest = [replace(each, number=(each.number or 0) + 1) for each in links[3:]]
    return [*links[:3], stored(forged, entry(77)), *rest]


def inserted_and_worthless(links: list[Stored]) -> list[Stored]:
    return [*links[:3], Stored("no link at all"), *links[3:]]


def doubled(links: list[Stored]) -> list[Stored]:
    return [*links[:4], links[3], *links[4:]]


TAMPERED: list[tuple[Callable[[list[Stored]], list[Stored]], Flaw, int | None]] = [
    (changed_text, Flaw.CHANGED, 4),
    (changed_and_hashed_again, Flaw.CHANGED, 4),
    (changed_hash, Flaw.CHANGED, 4),
    (changed_entry, Flaw.CHANGED, 4),
    (missing, Flaw.MISSING, 4),
    (missing_at_the_beginning, Flaw.MISSING, 1),
    (missing_entry, Flaw.MISSING, 4),
    (inserted, Flaw.INSERTED, 4),
    (inserted_and_worthless, Flaw.INSERTED, None),
    (doubled, Flaw.INSERTED, 4),
]
ONLY_IN_THE_DATABASE = {changed_hash, changed_entry, missing_entry}


def test_a_whole_chain_is_whole() -> None:
    """It ends where it ends, and nothing is proven without a head that was kept elsewhere."""
    found = verify(iter(WHOLE), {})
    assert (found.whole, found.head, found.anchored, found.findings) == (True, HEAD, None, ())
    assert verify([], {}).head == BEGINNING


@pytest.mark.parametrize(("tamper", "flaw", "number"), TAMPERED)
def test_what_was_done_in_the_database_is_told(
    tamper: Callable[[list[Stored]], list[Stored]], flaw: Flaw, number: int | None
) -> None:
    """One thing was done, and one thing is told, at its place."""
    [found] = verify(tamper(list(WHOLE)), {}).findings
    assert (found.flaw, found.number) == (flaw, number)


@pytest.mark.parametrize(
    ("tamper", "flaw", "number"), [each for each in TAMPERED if each[0] not in ONLY_IN_THE_DATABASE]
)
def test_what_was_done_to_an_export_is_told(
    tamper: Callable[[list[Stored]], list[Stored]], flaw: Flaw, number: int | None
) -> None:
    """From its lines alone."""
    last = list(lines(WHOLE))[-1]
    [found] = verify_lines([*(each.body for each in tamper(list(WHOLE))), last], {}).findings
    assert (found.flaw, found.number) == (flaw, number)


def test_a_file_without_its_end_is_told() -> None:
    """Whether the last line is missing, or links before it, or the last link was changed."""
    whole = [f"{line}\n" for line in lines(WHOLE)]
    assert verify_lines(whole, {}).whole
    assert verify_lines(whole, {}).anchored is None
    assert [each.flaw for each in verify_lines(whole[:-1], {}).findings] == [Flaw.CUT_OFF]
    assert [each.flaw for each in verify_lines([*whole[:-3], whole[-1]], {}).findings] == [Flaw.CUT_OFF]
    touched = [*whole[:-2], whole[-2].replace("joins", "leaves"), whole[-1]]
    assert [each.flaw for each in verify_lines(touched, {}).findings] == [Flaw.CHANGED]
    assert [each.flaw for each in verify_lines([], {}).findings] == [Flaw.CUT_OFF]


def test_an_end_that_was_cut_off_shows_against_an_anchor_only() -> None:
    """What is left is consistent in itself."""
    assert verify(WHOLE[:6], {}).whole
    [found] = verify(WHOLE[:6], {HEAD.number: HEAD.hash}).findings
    assert found.flaw == Flaw.CUT_OFF
    assert verify(WHOLE, {HEAD.number: HEAD.hash}).anchored == HEAD


def test_a_chain_that_was_written_anew_shows_against_an_anchor_only() -> None:
    """From the fifth on, with all hashes right."""
    anew = [*WHOLE[:4], *chain(5, Head(4, WHOLE[3].own_hash), first=21)]
    assert verify(anew, {}).whole
    found = verify(anew, {3: WHOLE[2].own_hash, HEAD.number: HEAD.hash})
    assert [(each.flaw, each.number) for each in found.findings] == [(Flaw.CHANGED, 9)]
    assert found.anchored == Head(3, WHOLE[2].own_hash)


def test_entries_that_came_past_the_chain_are_inserted() -> None:
    """They have neither a number nor wait for one."""
    [found] = verify(WHOLE, {}, ["entry-9999"]).findings
    assert (found.flaw, "entry-9999" in found.what) == (Flaw.INSERTED, True)


def test_many_flaws_are_counted_and_the_first_are_told() -> None:
    """The memory is bounded, whatever was done."""
    found = verify((replace(each, entry=None) for each in chain(TOLD + 50)), {})
    assert (len(found.findings), dict(found.counts)) == (TOLD, {Flaw.MISSING: TOLD + 50})


def test_heads_kept_elsewhere_are_read_again() -> None:
    """Each line; a broken one or a contradiction is named."""
    kept = [anchor_line(HEAD, NOW), "\n", anchor_line(HEAD, NOW + timedelta(minutes=5))]
    assert anchors_in(kept) == {HEAD.number: HEAD.hash}
    with pytest.raises(AnchorUnreadable, match="line 2"):
        anchors_in([kept[0], "{}"])
    with pytest.raises(AnchorUnreadable, match="line 2 says another hash"):
        anchors_in([kept[0], anchor_line(Head(HEAD.number, "0" * 64), NOW)])
