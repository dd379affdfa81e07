"""Which of very many users differ from what is wanted, in 16 bytes a user however much is compared (H4).

Each fact that shall be found about a user (its details as listed, each membership) is a random-looking number of
64 bits; what is wanted is added up beforehand, what is found taken off as the pages come. A user whose sum is not
zero in the end differs, or changed while the pages were read: a look at that one user tells. The order of pages
does not count. Two sets of facts have the same sum once in 2^64.
"""

from __future__ import annotations

import secrets
from array import array
from bisect import bisect_left
from collections.abc import Iterable
from hashlib import blake2b

from sync.domain.drift.listed_user import ListedUser
from sync.domain.provisioning.change import DETAILS
from sync.domain.provisioning.desired import DesiredState
from sync.domain.provisioning.observed import Observed

_MASK = 2**64 - 1
_SHARDS = 256


class Sums:
    """Call `expect` for every user, then `seal`, then `saw` for every fact that is found."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(16)
        self._users = [array("Q") for _ in range(_SHARDS)]
        self._sums = [array("Q") for _ in range(_SHARDS)]
        self._weights: dict[str, int] = {}

    def __len__(self) -> int:
        return sum(len(shard) for shard in self._users)

    def expect(self, idp_user_id: str, listed: str | None, groups: Iterable[str]) -> None:
        """The user shall be listed with these details, as `details` writes them (None: none are compared), and be
        in these groups and no others."""
        user = self._digest(idp_user_id)
        total = 0 if listed is None else self._digest(listed)
        for group in groups:
            total += self._weight(group)
        shard = user % _SHARDS
        self._users[shard].append(user)
        self._sums[shard].append(total & _MASK)

    def seal(self) -> None:
        """Nobody more is expected: sort, so that users are found."""
        for shard in range(_SHARDS):
            users, sums = self._users[shard], self._sums[shard]
            order = sorted(range(len(users)), key=users.__getitem__)
            self._users[shard] = array("Q", (users[at] for at in order))
            self._sums[shard] = array("Q", (sums[at] for at in order))

    def saw_details(self, idp_user_id: str, listed: str) -> bool:
        """`listed` as `details` writes it. False: the user is not one of ours."""
        return self._take(idp_user_id, self._digest(listed))

    def saw_member(self, idp_user_id: str, group: str) -> bool:
        """False: the user is not one of ours."""
        return self._take(idp_user_id, self._weight(group))

    def settled(self) -> int:
        """How many users nothing differs of, so far."""
        return sum(shard.count(0) for shard in self._sums)

    def knows(self, idp_user_id: str) -> bool:
        """Whether the user is one of ours."""
        return self._place(self._digest(idp_user_id)) is not None

    def differs(self, idp_user_id: str) -> bool:
        """Also false for a user that was not expected."""
        place = self._place(self._digest(idp_user_id))
        return place is not None and self._sums[place[0]][place[1]] != 0

    def _take(self, idp_user_id: str, weight: int) -> bool:
        place = self._place(self._digest(idp_user_id))
        if place is None:
            return False
        shard, at = place
        sums = self._sums[shard]
        sums[at] = (sums[at] - weight) & _MASK
        return True

    def _place(self, user: int) -> tuple[int, int] | None:
        shard = user % _SHARDS
        users = self._users[shard]
        at = bisect_left(users, user)
        return (shard, at) if at < len(users) and users[at] == user else None

    def _weight(self, group: str) -> int:
        weight = self._weights.get(group)
        if weight is None:
            weight = self._weights[group] = self._digest(group)
        return weight

    def _digest(self, text: str) -> int:
        """Keyed anew for each comparison, so that nobody can prepare names that cancel out."""
        return int.from_bytes(blake2b(text.encode(), digest_size=8, key=self._key).digest())


def details(user: DesiredState | ListedUser | Observed) -> str:
    """What a listing shows of a user, in one text: the fields that the plan of changes compares too."""
    return "\0".join((*(getattr(user, field) for field in DETAILS), "on" if user.enabled else "off"))
