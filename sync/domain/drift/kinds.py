"""The kinds of findings: an attribute of an account, or an anomaly. What follows from the kind alone stands here:
what shows it, so whose silence ends it; whether it may be left as it is; whether it explains a quarantine."""

from __future__ import annotations

from enum import StrEnum
from typing import Final, TypeAlias

from sync.domain.drift.anomaly import Anomaly, Irregularity, irregularities
from sync.domain.provisioning.aspect import Aspect, Deviation
from sync.domain.provisioning.desired import DesiredState
from sync.domain.provisioning.observed import Seen
from sync.domain.provisioning.plan import deviations

Kind: TypeAlias = Aspect | Anomaly
Drift: TypeAlias = Deviation | Irregularity


class Look(StrEnum):
    """How a finding is made: the comparison's listings, the pass over all attributes, a look at the one user."""

    LISTING = "listing"
    ATTRIBUTES = "attributes"
    SINGLE = "single"


KINDS: Final[tuple[Kind, ...]] = (*Aspect, *Anomaly)


def kind_of(name: str) -> Kind:
    """Raises ValueError for a name that is none."""
    return Aspect(name) if name in set(Aspect) else Anomaly(name)


def drift_of(desired: DesiredState, seen: Seen | None) -> tuple[Drift, ...]:
    """Everything that is to be found about an account by this look; None: there is no such user."""
    return (*(irregularities(desired, seen) if seen else ()), *deviations(desired, seen))


def shown_by(kind: Kind) -> frozenset[Look]:
    """The looks that show it whenever it is there."""
    match kind:
        case Aspect.TECHNICIAN_ID | Aspect.ATTRIBUTES | Anomaly.ACCOUNT_ID:
            return frozenset({Look.ATTRIBUTES, Look.SINGLE})
        case Anomaly.STRAY_ACCOUNT_ID:
            return frozenset({Look.ATTRIBUTES})
        case Anomaly.LOST_ACCOUNT:
            return frozenset({Look.LISTING, Look.ATTRIBUTES})
        case Anomaly.ADMINISTERS_REALM | Anomaly.UNREADABLE:
            return frozenset({Look.SINGLE})
        case Aspect():
            return frozenset({Look.LISTING, Look.SINGLE})
        case _:
            return frozenset({Look.LISTING})


def may_be_left(kind: Kind) -> bool:
    """Whether a person may accept it as it is: it takes access away, or it is of somebody workers do not write to.
    Workers leave it alone then too, until it changes."""
    return kind in {*NO_ACCESS, Anomaly.FEATURE_ROLE, Anomaly.FOREIGN_MEMBER, Anomaly.FOREIGN_ROLE}


def refuses_user(kind: Kind) -> bool:
    """A worker does nothing to such a user: it explains a quarantine, so it is told although something newer is
    still to be carried out."""
    return kind in {Aspect.MISSING, Anomaly.ACCOUNT_ID, Anomaly.ADMINISTERS_REALM}


NO_ACCESS: Final[frozenset[Kind]] = frozenset({Aspect.MISSING, Aspect.SWITCHED_OFF})
"""Nobody can use such an account; that this was accepted is over once a person wants the account active again."""

IN_LISTINGS: Final = frozenset(each for each in KINDS if Look.LISTING in shown_by(each))
BY_A_LOOK: Final = frozenset(each for each in KINDS if Look.SINGLE in shown_by(each))

LOOKED_AT_AGAIN: Final = BY_A_LOOK - IN_LISTINGS
"""What a comparison overlooks unless it looks at the user: whoever has such a finding is looked at each time."""

ENDED_BY_COMPARISON: Final = IN_LISTINGS | LOOKED_AT_AGAIN

ENDED_BY_ATTRIBUTE_PASS: Final = frozenset(each for each in KINDS if Look.ATTRIBUTES in shown_by(each))
