"""What the realm must hold and what differs: decided without a Keycloak."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

import mappings
from mappings.realm import Known
from sync.domain.access import vocabulary
from sync.domain.errors import Refused
from sync.domain.realm.difference import (
    Create,
    RealmDifference,
    RealmPlan,
    Remove,
    Update,
    in_safe_order,
    realm_differences,
    record,
)
from sync.domain.realm.flow import Binding, Flow, Step, SubFlow, alias_of, binding_of
from sync.domain.realm.flow_changes import flow_changes, login_problems, unsafe_to_bind
from sync.domain.realm.item import AtLeast, Item, ItemKind, RealmState, SealedSecret, Secret, listed
from sync.domain.realm.login_flows import login_flows
from sync.domain.realm.options import MailServer, RealmOptions
from sync.domain.realm.reach import Loss, changes_for_everybody, losses
from sync.domain.realm.settings import password_policy, realm_settings, refuse_unknown_actions
from sync.domain.realm.surroundings import (
    FlowOverride,
    Shortcut,
    ShortcutClient,
    Surroundings,
    demands,
    habits,
    ways_around,
)
from sync.domain.realm.wanted import wanted_realm

POLICY = mappings.load()
OPTIONS = RealmOptions(
    "https://fsm.example.com",
    MailServer("mail.example.com", 25, "fsm@example.com", password="hush-hush"),
    {"fsm-worker": "worker-hush"},
)
WANTED = wanted_realm(POLICY, OPTIONS)
FLOWS = login_flows(POLICY)
STOCK = RealmState.of(
    [
        Item(ItemKind.BINDING, Binding.BROWSER, {"alias": "browser"}),
        Item(ItemKind.BINDING, Binding.DIRECT_GRANT, {"alias": "direct grant"}),
        Item(ItemKind.BINDING, Binding.RESET_CREDENTIALS, {"alias": "reset credentials"}),
        Item(ItemKind.BINDING, Binding.FIRST_BROKER_LOGIN, {"alias": "first broker login"}),
        Item(ItemKind.REALM_ROLE, vocabulary.SECOND_FACTOR_ROLE, {}),
        *(Item(ItemKind.REALM_ROLE, vocabulary.profile_role(key), {}) for key in POLICY.profiles),
    ]
)


def applied(state: RealmState, found: tuple[RealmDifference, ...]) -> RealmState:
    """What Keycloak holds after these differences."""
    items = dict(state.items)
    for difference in found:
        match difference:
            case Create(item=item):
                items[item.kind, item.name] = item
            case Remove(item=item):
                del items[item.kind, item.name]
            case Update(kind=kind, name=name, new=new):
                fields = {**items[kind, name].fields, **new}
                items[kind, name] = Item(kind, name, {k: v for k, v in fields.items() if v is not None})
    return RealmState(items)


def plain(item: Item) -> Item:
    fields = {k: listed(v.values) if isinstance(v, AtLeast) else v for k, v in item.fields.items()}
    return Item(item.kind, item.name, fields)


damaged = st.lists(st.sampled_from(sorted(WANTED.items, key=str)), unique=True)
strangers = st.lists(
    st.builds(
        Item,
        st.sampled_from([ItemKind.REALM_ROLE, ItemKind.GROUP, ItemKind.FEATURE, ItemKind.MAPPER]),
        st.from_regex(r"/fsm/x[a-z]{1,5}", fullmatch=True),
        st.just({"roles": ()}),
    ),
    max_size=4,
)


@pytest.mark.supports("C8")
@given(missing=damaged, emptied=damaged, extra=strangers)
def test_nothing_differs_once_it_is_applied(
    missing: list[tuple[ItemKind, str]], emptied: list[tuple[ItemKind, str]], extra: list[Item]
) -> None:
    """Whatever is missing, emptied or too much: one apply brings the realm to what is wanted."""
    items = {key: plain(item) for key, item in WANTED.items.items()}
    items |= {key: Item(*key, {}) for key in emptied}
    items = {key: item for key, item in items.items() if key not in missing}
    observed = RealmState.of([*items.values(), *extra])
    after = applied(observed, realm_differences(WANTED, observed))
    assert realm_differences(WANTED, after) == ()


@pytest.mark.supports("C8")
@given(cut=st.integers(min_value=0, max_value=200))
def test_an_apply_that_was_cut_short_is_finished_by_the_next(cut: int) -> None:
    """After any number of steps the next plan holds exactly the rest."""
    observed = RealmState.of([])
    found = realm_differences(WANTED, observed)
    assert realm_differences(WANTED, applied(observed, found[:cut])) == found[cut:]


@pytest.mark.supports("C8")
def test_what_is_referred_to_comes_first() -> None:
    """Roles before the groups that carry them, parents before children, flows before they are bound; removal in
    the reverse order."""
    created = [each.item for each in realm_differences(WANTED, RealmState.of([])) if isinstance(each, Create)]
    kinds = [item.kind for item in created]
    assert kinds == sorted(kinds, key=list(ItemKind).index)
    groups = [item.name for item in created if item.kind is ItemKind.GROUP]
    assert all(path.rpartition("/")[0] in ["", *groups[:n]] for n, path in enumerate(groups))
    gone = [
        Remove(Item(ItemKind.REALM_ROLE, "fsm-profile-x", {})),
        Remove(Item(ItemKind.GROUP, "/fsm/profiles", {})),
        Remove(Item(ItemKind.GROUP, "/fsm/profiles/x", {})),
    ]
    names = [each.item.name for each in in_safe_order(gone) if isinstance(each, Remove)]
    assert names == ["/fsm/profiles/x", "/fsm/profiles", "fsm-profile-x"]


@pytest.mark.supports("C8", "G4")
def test_a_role_or_attribute_put_on_our_group_is_shown_and_taken() -> None:
    """Whoever joins the group would get it: a role or a claim that nobody decided."""
    path = vocabulary.profile_group("technician")
    item = plain(WANTED.items[ItemKind.GROUP, path])
    roles = item.fields["roles"]
    assert isinstance(roles, tuple)
    tampered = replace(
        item,
        fields={**item.fields, "roles": listed([*roles, "admin"]), "attributes:technician_id": ("T-1",)},
    )
    [found] = realm_differences(RealmState.of([item]), RealmState.of([tampered]))
    assert str(found) == (f"~ group {path}: attributes:technician_id: [T-1] -> (none); roles: - admin (not ours)")


@pytest.mark.supports("C8")
def test_a_role_of_ours_that_goes_is_not_called_somebody_elses() -> None:
    """A profile lost a feature: that was decided, and only what others put there is not ours."""
    existing = ("admin", "fsm-2fa-required", "fsm/reports", "realm-management/view-users")
    found = Update(ItemKind.GROUP, "/fsm/profiles/manager", {"roles": existing}, {"roles": ()})
    assert found.details == (
        "roles: - admin (not ours), - fsm-2fa-required, - fsm/reports, - realm-management/view-users (not ours)",
    )


@pytest.mark.supports("C8")
def test_a_list_that_must_contain_keeps_what_others_put_there() -> None:
    """Event types somebody else stores stay stored."""
    wanted = RealmState.of([Item(ItemKind.REALM, "settings", {"types": AtLeast(frozenset({"LOGIN"}))})])
    observed = RealmState.of([Item(ItemKind.REALM, "settings", {"types": ("REGISTER",)})])
    [found] = realm_differences(wanted, observed)
    assert isinstance(found, Update)
    assert found.new == {"types": ("LOGIN", "REGISTER")}


@pytest.mark.supports("C8")
def test_no_secret_is_in_a_plan() -> None:
    """Neither in its words nor in its reprs, its JSON or its fingerprint."""
    plan = RealmPlan(realm_differences(WANTED, RealmState.of([])))
    text = repr(plan) + repr(OPTIONS) + "".join(map(str, plan.differences))
    for each in (text, json.dumps([record(difference) for difference in plan.differences])):
        assert "hush" not in each
        assert "(secret)" in each
    other = replace(OPTIONS, secrets={"fsm-worker": "another"})
    assert (
        plan.fingerprint
        == RealmPlan(realm_differences(wanted_realm(POLICY, other), RealmState.of([]))).fingerprint
    )


@pytest.mark.supports("C8")
def test_another_plan_has_another_fingerprint() -> None:
    """What is made is not what is removed, and each value of it counts."""
    made, other = (Item(ItemKind.REALM, "settings", {"failureFactor": number}) for number in (5, 50))
    plans = [[Create(made)], [Create(other)], [Remove(made)], [Create(made), Remove(made)]]
    assert len({RealmPlan(tuple(each)).fingerprint for each in plans}) == len(plans)


@pytest.mark.supports("C8")
def test_a_secret_keycloak_does_not_tell_is_compared_by_its_seal() -> None:
    """The same password is no difference, another one is."""
    sealed = RealmState.of([Item(ItemKind.REALM, "s", {"p": SealedSecret.of("one", "salt")})])
    same, other = (RealmState.of([Item(ItemKind.REALM, "s", {"p": Secret(word)})]) for word in ("one", "two"))
    assert realm_differences(same, sealed) == ()
    assert len(realm_differences(other, sealed)) == 1


@pytest.mark.supports("C4")
def test_the_password_policy_in_keycloak_s_spelling() -> None:
    """The shipped file in words that read back identically (fact: the-password-policy-reads-back); what is off is
    left out."""
    policy = POLICY.realm.password
    assert password_policy(policy) == (
        "length(12) and maxLength(64) and upperCase(1) and lowerCase(1) and digits(1) and specialChars(1) and "
        "notUsername(undefined) and notEmail(undefined) and notContainsUsername(undefined) and "
        "passwordHistory(5) and forceExpiredPasswordChange(90)"
    )
    lax = replace(
        policy,
        upper_case=0,
        lower_case=0,
        digits=0,
        special_characters=0,
        not_username=False,
        not_email=False,
        not_contains_username=False,
        history=0,
        expire_days=None,
    )
    assert password_policy(lax) == "length(12) and maxLength(64)"


@pytest.mark.supports("C9")
def test_a_keycloak_without_verified_e_mail_change_is_refused() -> None:
    """Where people may change their address, Keycloak must be able to verify it; where not, it need not."""
    action = Item(ItemKind.REQUIRED_ACTION, "UPDATE_EMAIL", {"enabled": True})
    with pytest.raises(Refused, match="update-email"):
        refuse_unknown_actions((Create(action),))
    off = replace(action, fields={"enabled": False})
    assert refuse_unknown_actions((Create(off),)) == ()


class TestLoginFlows:
    """Which flows are built, bound and removed."""

    @pytest.mark.supports("C6", "C8")
    def test_built_bound_and_then_nothing_to_do(self) -> None:
        """A flow is built before it is bound, and afterwards there is nothing to change."""
        found = flow_changes(FLOWS, STOCK, Surroundings())
        assert [type(each) for each in found] == [Create] * 5 + [Update] * 4
        after = applied(STOCK, found)
        assert flow_changes(FLOWS, after, Surroundings()) == ()
        assert login_problems(FLOWS, after) == ()

    @pytest.mark.supports("C6", "C8")
    def test_a_changed_flow_is_replaced_under_another_name(self) -> None:
        """Somebody removed a step from the bound flow: a new one is built and bound, then the broken one goes."""
        after = applied(STOCK, flow_changes(FLOWS, STOCK, Surroundings()))
        alias = alias_of(Binding.BROWSER, FLOWS[Binding.BROWSER])
        broken = Flow(FLOWS[Binding.BROWSER].steps[:-1])
        tampered = RealmState(
            dict(after.items) | {(ItemKind.FLOW, alias): Item(ItemKind.FLOW, alias, {"flow": broken})}
        )
        assert login_problems(FLOWS, tampered) != ()
        assert [str(each) for each in flow_changes(FLOWS, tampered, Surroundings())] == [
            f"+ login flow {alias} 2: flow {FLOWS[Binding.BROWSER].fingerprint}",
            f"~ login flow for browserFlow: alias: '{alias}' -> '{alias} 2'",
            f"- login flow {alias}",
        ]

    @pytest.mark.supports("C6")
    def test_a_role_that_does_not_exist_forbids_binding(self) -> None:
        """A condition with a missing role is never met."""
        alias = alias_of(Binding.BROWSER, FLOWS[Binding.BROWSER])
        built = applied(STOCK, flow_changes(FLOWS, STOCK, Surroundings()))
        without = {key: item for key, item in built.items.items() if item.name != vocabulary.SECOND_FACTOR_ROLE}
        reason = unsafe_to_bind(alias, RealmState(without), FLOWS.values())
        assert reason is not None
        assert "roles that do not exist: fsm-2fa-required" in reason

    @pytest.mark.supports("C6")
    def test_every_flow_that_ends_in_a_session_asks_who_is_not_known_to_need_none(self) -> None:
        """Each has the sub-flow that no condition on an existing role guards."""
        for binding in Binding:
            text = repr(FLOWS[binding])
            assert "otherwise" in text or binding is Binding.FIRST_BROKER_LOGIN

    @pytest.mark.supports("C6")
    def test_a_passkey_is_both_factors(self) -> None:
        """In the browser flow a login by passkey skips both places that ask for a code; nowhere else one can be
        used."""
        conditions = repr(FLOWS[Binding.BROWSER]).count("conditional-credential")
        assert conditions == 2
        assert all(
            "conditional-credential" not in repr(FLOWS[each]) for each in Binding if each != Binding.BROWSER
        )

    @pytest.mark.supports("C8")
    def test_a_realm_with_identity_providers_keeps_its_first_login_flow(self) -> None:
        """Somebody uses it; without any provider it is closed."""
        found = flow_changes(FLOWS, STOCK, Surroundings(identity_providers={"corporate": None}))
        assert Binding.FIRST_BROKER_LOGIN not in [each.name for each in found if isinstance(each, Update)]

    @pytest.mark.supports("C8")
    def test_a_flow_somebody_uses_for_an_own_client_stays(self) -> None:
        """Keycloak could not remove it, and the client would lose its login."""
        old = Item(ItemKind.FLOW, "fsm browser 0123456789", {"flow": Flow((Step("auth-cookie"),))})
        observed = RealmState(dict(STOCK.items) | {(ItemKind.FLOW, old.name): old})
        used = Surroundings(flow_overrides=(FlowOverride("kiosk", "browser", old.name),))
        assert Remove(old) in flow_changes(FLOWS, observed, Surroundings())
        assert Remove(old) not in flow_changes(FLOWS, observed, used)

    @pytest.mark.parametrize("alias", ["browser", "fsmbrowser 1", "fsm browser", "FSM browser x"])
    def test_a_flow_with_another_name_is_not_ours(self, alias: str) -> None:
        """Only what we name is removed."""
        assert binding_of(alias) is None

    @pytest.mark.supports("C7")
    def test_the_fingerprint_is_of_what_the_flow_does(self) -> None:
        """Another cap is another flow; the same policy gives the same name in any process."""
        profiles = dict(POLICY.profiles)
        profiles["technician"] = replace(profiles["technician"], session_cap=7)
        other = login_flows(replace(POLICY, profiles=profiles))
        assert other[Binding.BROWSER].fingerprint != FLOWS[Binding.BROWSER].fingerprint
        assert login_flows(POLICY)[Binding.BROWSER].fingerprint == FLOWS[Binding.BROWSER].fingerprint

    @pytest.mark.supports("C7")
    def test_a_profile_without_a_cap_has_none(self) -> None:
        """No sub-flow of the browser flow counts its sessions."""
        profiles = {key: replace(profile, session_cap=None) for key, profile in POLICY.profiles.items()}
        flow = login_flows(replace(POLICY, profiles=profiles))[Binding.BROWSER]
        forms = flow.steps[-1]
        assert isinstance(forms, SubFlow)
        assert not [each for each in forms.steps if isinstance(each, SubFlow) and "sessions" in each.name]


@pytest.mark.supports("C6")
def test_each_way_around_is_named_with_its_remedy() -> None:
    """A client with an own flow, a provider without our flow, a backchannel client; ours are not mentioned."""
    around = Surroundings(
        {"corporate": None, "partner": "fsm post broker login 1"},
        (FlowOverride("kiosk", "browser", "easy"), FlowOverride("till", "browser", "fsm browser 1")),
        (ShortcutClient("phone-bank", Shortcut.BACKCHANNEL),),
    )
    found = list(ways_around(around, {"fsm browser 1", "fsm post broker login 1"}))
    assert [next(name for name in ("kiosk", "corporate", "phone-bank") if name in line) for line in found] == [
        "kiosk",
        "corporate",
        "phone-bank",
    ]
    assert not [line for line in found if "till" in line or "partner" in line]


def group_update(path: str, existing: list[str], new: list[str]) -> Update:
    return Update(ItemKind.GROUP, path, {"roles": listed(existing)}, {"roles": listed(new)})


@pytest.mark.supports("C8", "D6")
def test_what_a_realm_does_to_users_by_itself_is_named() -> None:
    """Each once, with what it does and how to end it; a stock realm does nothing."""
    seen = Surroundings(
        demanded_attributes=frozenset({"costcentre"}),
        default_groups=frozenset({"/newcomers"}),
        default_actions=frozenset({"UPDATE_PROFILE"}),
        features=frozenset({"SCIM_API", "SSF"}),
    )
    told = [*demands(seen.demanded_attributes), *habits(seen, Known())]
    named = ("demands costcentre", "group /newcomers", "UPDATE_PROFILE", "scim-api", "ssf")
    assert [[name in sentence for sentence in told].count(True) for name in named] == [1] * 5
    assert len(told) == 5
    assert [*demands(()), *habits(Surroundings(), Known())] == []


@pytest.mark.supports("C8")
def test_what_is_known_of_the_realm_is_not_named_again() -> None:
    """Only what somebody added since."""
    seen = Surroundings(
        default_groups=frozenset({"/newcomers", "/later"}), default_actions=frozenset({"UPDATE_PROFILE", "TERMS"})
    )
    known = Known(frozenset({"/newcomers", "/gone"}), frozenset({"TERMS"}))
    group, action = habits(seen, known)
    assert "/later" in group
    assert "UPDATE_PROFILE" in action


@pytest.mark.supports("E7", "C8")
def test_whom_a_plan_takes_something_from() -> None:
    """Groups that lose roles of ours; what somebody else put on them, or what is added, is no loss."""
    taken = group_update("/fsm/profiles/dispatcher", ["fsm/reports", "fsm/scheduling"], ["fsm/reports"])
    second_factor = group_update("/fsm/second-factor", [vocabulary.SECOND_FACTOR_ROLE], [])
    mended = group_update("/fsm/profiles/manager", ["realm-management/realm-admin"], ["fsm/reports"])
    assert losses(RealmPlan((taken, second_factor, mended))) == (
        Loss("/fsm/profiles/dispatcher", ("fsm/scheduling",)),
        Loss("/fsm/second-factor", (vocabulary.SECOND_FACTOR_ROLE,)),
    )
    assert losses(RealmPlan(realm_differences(WANTED, RealmState({})))) == ()


@pytest.mark.supports("I7")
def test_company_and_languages_are_the_realms() -> None:
    """As realm.toml says them; what it does not say stays as somebody set it in Keycloak."""
    said = replace(POLICY.realm, company="Nordwind", languages=("fr", "de"))
    fields = realm_settings(said, OPTIONS.mail, None).fields
    assert fields["displayName"] == "Nordwind"
    assert fields["internationalizationEnabled"] is True
    assert fields["supportedLocales"] == ("de", "fr")
    assert fields["defaultLocale"] == "fr"
    unsaid = realm_settings(replace(POLICY.realm, company="", languages=()), OPTIONS.mail, None).fields
    assert fields.keys() - unsaid.keys() == {
        "displayName",
        "internationalizationEnabled",
        "supportedLocales",
        "defaultLocale",
    }


@pytest.mark.supports("E7", "C7")
def test_what_everybody_notices() -> None:
    """Rules of sessions and passwords; not what is set for the first time, and not the mail server."""
    shorter = replace(POLICY.realm, sessions=replace(POLICY.realm.sessions, idle_seconds=60))
    mailed = replace(OPTIONS, mail=replace(OPTIONS.mail, port=26))
    other = wanted_realm(replace(POLICY, realm=shorter), mailed)
    held = applied(RealmState({}), realm_differences(WANTED, RealmState({})))
    assert changes_for_everybody(RealmPlan(realm_differences(other, held))) == ("ssoSessionIdleTimeout",)
    assert changes_for_everybody(RealmPlan(realm_differences(WANTED, RealmState({})))) == ()
