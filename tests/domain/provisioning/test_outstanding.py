"""What a person is told about an account that could not be made as wanted."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.domain.errors import Conflict, Difference, NeedsPerson
from sync.domain.provisioning.change import (
    Disable,
    EndSessions,
    JoinGroup,
    LeaveGroup,
    TakeRole,
    UpdateDetails,
    outstanding,
)
from sync.domain.provisioning.outstanding import with_outstanding
from sync.domain.provisioning.quarantine import normalised


@pytest.mark.req("H2")
def test_each_change_is_told_as_wanted_and_found() -> None:
    """In words of the account, not of the request."""
    changes = (
        Disable(),
        EndSessions("wanted inactive"),
        TakeRole("fsm-feature"),
        LeaveGroup("/fsm/profiles/technician"),
        JoinGroup("/fsm/profiles/dispatcher"),
        UpdateDetails(
            {"email": "a@example.com", "technician_id": None}, {"email": "b@example.com", "technician_id": "T-1"}
        ),
    )
    assert [(each.what, each.wanted, each.found) for each in outstanding(changes)] == [
        ("enabled", "no", "yes"),
        ("sessions and offline tokens", "none", "perhaps some"),
        ("role fsm-feature", "through groups only", "given directly"),
        ("/fsm/profiles/technician", "no member", "member"),
        ("/fsm/profiles/dispatcher", "member", "no member"),
        ("email", "b@example.com", "a@example.com"),
        ("technician_id", "T-1", "nothing"),
    ]


def test_a_failure_keeps_the_difference_it_came_with() -> None:
    """The nearest place knows most."""
    inner, outer = (Difference("user", "kim", "nothing"),), (Difference("all", "of", "it"),)
    with pytest.raises(Conflict) as caught, with_outstanding(lambda: outer), with_outstanding(lambda: inner):
        raise Conflict("taken")
    assert caught.value.differences == inner
    with pytest.raises(NeedsPerson) as bare:
        raise NeedsPerson("no")
    assert bare.value.differences == ()


@pytest.mark.req("H3")
@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("'pat.a@example.com' is taken by Keycloak user 'pat'", "'kim' is taken by Keycloak user 'kim.b'"),
        (
            "Keycloak user 0198c4b6-0000-7000-8000-000000000001 was deleted there",
            "Keycloak user 0198C4B6-0000-7000-8000-00000000000f was deleted there",
        ),
        ("mail to a.b@example.com refused, 5 times", "mail to c@example.org refused, 12 times"),
    ],
)
def test_what_differs_from_person_to_person_makes_no_group(one: str, other: str) -> None:
    """One entry for what one act mends."""
    assert normalised(one) == normalised(other)


@pytest.mark.req("H3")
def test_another_group_or_role_is_another_reason() -> None:
    """Paths and keys are not particulars."""
    told = "roles were added to groups of ours in Keycloak: {} carries {}"
    reasons = [
        told.format("/fsm/teams/north-1", "realm-admin"),
        told.format("/fsm/teams/north-2", "realm-admin"),
        told.format("/fsm/teams/north-1", "manage-users"),
    ]
    assert len({normalised(each) for each in reasons}) == 3


@given(st.text())
def test_normalising_twice_is_normalising_once(reason: str) -> None:
    """A group's reason names the group."""
    assert normalised(normalised(reason)) == normalised(reason)
