"""The login flows fsm-identity builds: the second factor by role, and the caps on parallel sessions (C6, C7).

In Keycloak a condition whose role does not exist is never met (fact: missing-roles-are-never-met), so a flow that
only says "whoever holds the role gives a second factor" lets everybody in once the role is gone. These flows say
it the other way round: everybody gives one who is not known to need none. With the role gone nobody is, and
everybody is asked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mappings.policy import Policy
from sync.domain.access import vocabulary
from sync.domain.realm.flow import Binding, Flow, Requirement, Step, SubFlow

ALTERNATIVE = Requirement.ALTERNATIVE
CONDITIONAL = Requirement.CONDITIONAL
REQUIRED = Requirement.REQUIRED

ASKED = "second factor of whoever has one"
EXEMPT = "no second factor needed"
OTHERWISE = "otherwise"

_BEHAVIOUR = {"deny": "Deny new session", "end-oldest": "Terminate oldest session"}

_OTP = Step("auth-otp-form")
"""Asks for a code; whoever has not set it up yet is made to (required, so it cannot be passed over)."""

_CODE = Step("direct-grant-validate-otp")
"""The same where no page can be shown. For whoever has none Keycloak fails
(fact: direct-grant-fails-without-a-code)."""

_DENY = Step("deny-access-authenticator")

_NO_PASSKEY = Step("conditional-credential", config={"credentials": "webauthn-passwordless", "included": "false"})
"""Met unless the person came in by a passkey, which is two factors in one."""

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
        Binding.POST_BROKER_LOGIN: Flow((*_second_factor(_OTP, _OTP), *caps)),
    }


def _browser(caps: tuple[SubFlow, ...]) -> Flow:
    forms: tuple[Step | SubFlow, ...] = (
        Step("auth-username-password-form"),
        *_second_factor(_OTP, _OTP, unless=(_NO_PASSKEY,)),
        *caps,
    )
    return Flow(
        (
            Step("auth-cookie", ALTERNATIVE),
            Step("identity-provider-redirector", ALTERNATIVE),
            SubFlow("forms", ALTERNATIVE, forms),
        )
    )


def _second_factor(otp: Step, otherwise: Step, *, unless: tuple[Step, ...] = ()) -> tuple[SubFlow, ...]:
    """Asked once: `otp` of whoever has one; who has none must be known to need none, else `otherwise`.

    `unless` are conditions that must be met for any of it to be asked."""
    return (
        SubFlow(ASKED, CONDITIONAL, (Step("conditional-user-configured"), *unless, otp)),
        SubFlow(EXEMPT, CONDITIONAL, (_NEEDS_NONE, Step("allow-access-authenticator"))),
        SubFlow(OTHERWISE, CONDITIONAL, (*unless, _not_run(ASKED), _not_run(EXEMPT), otherwise)),
    )


def _not_run(name: str) -> Step:
    return Step("conditional-sub-flow-executed", config={"flow_to_check": name, "check_result": "not-executed"})


def _direct_grant(caps: tuple[SubFlow, ...]) -> Flow:
    return Flow(
        (
            Step("direct-grant-validate-username"),
            Step("direct-grant-validate-password"),
            *_second_factor(_CODE, _DENY),
            *caps,
        )
    )


def _recovery() -> Flow:
    """The mail is one factor: who needs a second one gives it before the password may change, and who has not
    set it up yet is refused, because a mailbox alone must not do. The end is a login, never a session
    (`force-login`), so that nothing the browser flow asks is left out."""
    return Flow(
        (
            Step("reset-credentials-choose-user"),
            Step("reset-credential-email", config={"force-login": "true"}),
            *_second_factor(_OTP, _DENY),
            Step("reset-password"),
        )
    )


def _first_broker_login() -> Flow:
    """Nobody comes in through an identity provider until somebody chooses on purpose how (docs/realm.md)."""
    return Flow((_DENY,))


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
