"""Who can be given work orders, and why not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mappings import load
from sync.domain.accounts.account import Life
from sync.domain.accounts.assignability import reasons_against
from tests.domain.accounts.test_account_rules import GOOD

POLICY = load()
FIT = replace(GOOD, profile="technician", technician_id="T-0001", idp_user_id="kc-1")


@pytest.mark.supports("B3")
def test_a_linked_active_technician_in_keycloak_is_assignable() -> None:
    """Nothing stands against it."""
    assert reasons_against(FIT, POLICY, fsm_assignable=True) == ()


@pytest.mark.supports("B3")
def test_every_reason_is_named() -> None:
    """A person who asks why gets all of it at once."""
    assert reasons_against(None, POLICY, fsm_assignable=True) == ("no account is linked",)
    leaver = replace(FIT, life=Life.INACTIVE, profile="dispatcher", idp_user_id=None)
    assert len(reasons_against(leaver, POLICY, fsm_assignable=False)) == 4
