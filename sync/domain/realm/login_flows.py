"""The login flows fsm-identity builds: the second factor by role, and the caps on parallel sessions (C6, C7).

In Keycloak a condition whose role does not exist is never met, so a flow that only says "whoever holds the
role gives a second factor" lets everybody in once the role is gone. These flows say it the other way round:
a login is refused unless the second factor was given or the person is known *not* to hold the role. With the
role gone neither is true, and the flow stays shut.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mappings.policy import Policy
from sync.domain import vocabulary
from sync.domain.realm.flow import Binding, Flow, Requirement, Step, SubFlow

ALTERNATIVE = Requirement.ALTERNATIVE
CONDITIONAL = Requirement.CONDITIONAL
REQUIRED = Requirement.REQUIRED

ASKED = "second factor of whoever has one"
SET_UP = "second factor set up by whoever needs one"
EXEMPT = "no second factor needed"
SHUT = "shut without second factor"

_BEHAVIOUR = {"deny": "Deny new session", "end-oldest": "Terminate oldest session"}

_NO_PASSKEY = Step("conditional-credential", config={"credentials": "webauthn-passwordless", "included": "false"})
"""Met unless the person came in by a passkey, which is two factors in one."""

_NEEDS_IT = Step(
    "conditional-user-role", config={"condUserRole": vocabulary.SECOND_FACTOR_ROLE, "negate": "false"}
)
_NEEDS_NONE = Step(
    "conditional-user-role", config={"condUserRole": vocabulary.SECOND_FACTOR_ROLE, "negate": "true"}
)


def login_flows(policy: Policy) -> Mapping[Binding, Flow]:
    """The flow for each place where somebody can get into the realm or at a credential."""
    caps = tuple(_session_caps(policy))
    return {
        Binding.BROWSER: _browser(caps),
        Binding.DIRECT_GRANT: _direct_grant(caps),
        Binding.RESET_CREDENTIALS: _recovery(),
        Binding.FIRST_BROKER_LOGIN: _first_broker_login(),
        Binding.POST_BROKER_LOGIN: Flow((*_second_factor("auth-otp-form"), *caps)),
    }


def _browser(caps: tuple[SubFlow, ...]) -> Flow:
    forms: tuple[Step | SubFlow, ...] = (
        Step("auth-username-password-form"),
        *_second_factor("auth-otp-form", before=(_NO_PASSKEY,)),
        *caps,
    )
    return Flow(
        (
            Step("auth-cookie", ALTERNATIVE),
            Step("identity-provider-redirector", ALTERNATIVE),
            SubFlow("forms", ALTERNATIVE, forms),
        )
    )


def _second_factor(otp: str, *, before: tuple[Step, ...] = ()) -> tuple[SubFlow, ...]:
    """Asked once: of whoever has set it up; else set up now by whoever needs it; else the person must be known
    to need none. `before` are conditions under which all of it is skipped."""
    return (
        _asked(otp, before),
        SubFlow(SET_UP, CONDITIONAL, (*before, _NEEDS_IT, _not_run(ASKED), Step(otp))),
        _exempt(),
        _shut((*before, _not_run(ASKED), _not_run(SET_UP), _not_run(EXEMPT))),
    )


def _second_factor_or_nothing(otp: str) -> tuple[SubFlow, ...]:
    """Like `_second_factor` where nothing can or may be set up: who needs one and has none is refused."""
    return (_asked(otp, ()), _exempt(), _shut((_not_run(ASKED), _not_run(EXEMPT))))


def _asked(otp: str, before: tuple[Step, ...]) -> SubFlow:
    return SubFlow(ASKED, CONDITIONAL, (Step("conditional-user-configured"), *before, Step(otp)))


def _exempt() -> SubFlow:
    return SubFlow(EXEMPT, CONDITIONAL, (_NEEDS_NONE, Step("allow-access-authenticator")))


def _shut(conditions: tuple[Step, ...]) -> SubFlow:
    return SubFlow(SHUT, CONDITIONAL, (*conditions, Step("deny-access-authenticator")))


def _not_run(name: str) -> Step:
    return Step("conditional-sub-flow-executed", config={"flow_to_check": name, "check_result": "not-executed"})


def _direct_grant(caps: tuple[SubFlow, ...]) -> Flow:
    return Flow(
        (
            Step("direct-grant-validate-username"),
            Step("direct-grant-validate-password"),
            *_second_factor_or_nothing("direct-grant-validate-otp"),
            *caps,
        )
    )


def _recovery() -> Flow:
    """The mail is one factor: who needs a second one gives it before the password may change. The end is a
    login, never a session (`force-login`), so that nothing the browser flow asks is left out."""
    return Flow(
        (
            Step("reset-credentials-choose-user"),
            Step("reset-credential-email", config={"force-login": "true"}),
            *_second_factor_or_nothing("auth-otp-form"),
            Step("reset-password"),
        )
    )


def _first_broker_login() -> Flow:
    """Nobody comes in through an identity provider until somebody chooses on purpose how (docs/realm.md)."""
    return Flow((Step("deny-access-authenticator"),))


def _session_caps(policy: Policy) -> Iterator[SubFlow]:
    """C7. After the second factor: a stolen password alone must not end anybody's session."""
    behaviour = _BEHAVIOUR[policy.realm.sessions.over_cap]
    for key, profile in sorted(policy.profiles.items()):
        if profile.session_cap is None:
            continue
        role = vocabulary.profile_role(key)
        limits = {"userRealmLimit": str(profile.session_cap), "userClientLimit": "0", "behavior": behaviour}
        yield SubFlow(
            f"sessions of {key}",
            CONDITIONAL,
            (
                Step("conditional-user-role", config={"condUserRole": role, "negate": "false"}),
                Step("user-session-limits", config=limits),
            ),
        )
