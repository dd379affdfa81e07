"""The realm brought to what the policy says, on a real Keycloak: repeatable, narrow, and whole after a crash."""

from __future__ import annotations

import pytest

from sync.usecases import realm as realm_as_code
from tests.realms import ConfiguredRealm

pytestmark = pytest.mark.keycloak


@pytest.mark.req("C8")
def test_a_second_apply_has_nothing_to_change(configured_realm: ConfiguredRealm) -> None:
    """After an apply the plan is empty."""
    plan = configured_realm.plan()
    assert [str(each) for each in plan.differences] == []
    assert plan.findings == ()


@pytest.mark.req("C6", "C8")
def test_the_login_flows_pass_the_start_up_check(configured_realm: ConfiguredRealm) -> None:
    """The workers' client may run the check, and it is content."""
    realm_as_code.check_login(configured_realm.gateway("fsm-worker"), configured_realm.policy)
