"""What a person is told about an account that could not be made as wanted."""

from __future__ import annotations

import pytest

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


@pytest.mark.supports("H2")
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
