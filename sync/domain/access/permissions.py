"""What may be asked for: the names of the commands, and what each asks of its caller (I4)."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Permission(StrEnum):
    """One a command. Those of one-shot acts are the names of the acts."""

    CREATE = "create"
    CHANGE = "change"
    DEACTIVATE = "deactivate"
    REACTIVATE = "reactivate"
    REASSIGN_WORK = "reassign-work"
    REASSIGN_UNLINKED_WORK = "reassign-unlinked-work"
    RELEASE_USER = "release-user"

    RESET_PASSWORD = "reset-password"  # noqa: S105 - the name of an act
    SET_PASSWORD_MAIL = "set-password-mail"  # noqa: S105
    REQUIRE_PASSWORD_CHANGE = "require-password-change"  # noqa: S105
    UNLOCK = "unlock"
    END_SESSIONS = "end-sessions"
    RESET_SECOND_FACTOR = "reset-second-factor"
    EXPIRE_PASSWORD = "expire-password"  # noqa: S105

    REVIEW_IMPORT = "review-import"
    CONFIRM_IMPORT = "confirm-import"
    CANCEL_IMPORT = "cancel-import"

    APPROVE_RUN = "approve-run"
    REJECT_RUN = "reject-run"
    ADOPT_MAPPINGS = "adopt-mappings"
    ADOPT_USERS = "adopt-users"
    COMPARE = "compare"
    DECIDE_DRIFT = "decide-drift"
    REPAIR = "repair"
    TAKE_OVER_REALM = "take-over-realm"

    PAUSE_LANE = "pause-lane"
    RESUME_LANE = "resume-lane"
    PROBE_CIRCUIT = "probe-circuit"
    OPEN_CIRCUIT = "open-circuit"
    CLOSE_CIRCUIT = "close-circuit"
    TRY_AGAIN = "try-again"
    SEND_MAIL_AGAIN = "send-mail-again"
    REPORT_BOUNCE = "report-bounce"


OPERATIONS: Final = frozenset(
    {
        Permission.PAUSE_LANE,
        Permission.RESUME_LANE,
        Permission.PROBE_CIRCUIT,
        Permission.OPEN_CIRCUIT,
        Permission.CLOSE_CIRCUIT,
        Permission.TRY_AGAIN,
        Permission.SEND_MAIL_AGAIN,
        Permission.REPORT_BOUNCE,
    }
)
"""About the work, not about people: the feature `operations`, with global access."""

EVERYWHERE: Final = frozenset(
    {
        Permission.REASSIGN_UNLINKED_WORK,
        Permission.APPROVE_RUN,
        Permission.REJECT_RUN,
        Permission.ADOPT_MAPPINGS,
        Permission.ADOPT_USERS,
        Permission.COMPARE,
        Permission.DECIDE_DRIFT,
        Permission.REPAIR,
        Permission.TAKE_OVER_REALM,
    }
)
"""About everybody at once: the feature `user-management`, with global access."""

WITHIN_SCOPE: Final = frozenset({Permission.REVIEW_IMPORT, Permission.CONFIRM_IMPORT, Permission.CANCEL_IMPORT})
"""About accounts that are judged one by one, row by row: `user-management`, with any scope."""

ON_ACCOUNT: Final = frozenset(Permission) - OPERATIONS - EVERYWHERE - WITHIN_SCOPE
"""About one account, judged by how it is and by how it will be."""

ON_ONESELF: Final = frozenset({Permission.END_SESSIONS})
"""What everybody may do to their own account, and all that anybody may."""
