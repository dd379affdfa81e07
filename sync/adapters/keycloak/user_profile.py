"""What Keycloak's user profile demands of a user: names it accepts, attributes it keeps.

Keycloak checks neither everywhere: `partialImport` takes any name (fact: importing-judges-no-names), and an
attribute that is not declared is dropped without a word (fact: undeclared-attributes-are-dropped). So both are
checked here before anything is sent.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator

from sync.adapters.keycloak.connection import Connection
from sync.domain.errors import FailureCode, Misconfigured
from sync.domain.provisioning.desired import DesiredState
from sync.domain.provisioning.observed import OWNED_ATTRIBUTES

USERNAME = re.compile(r"""[^<>&"'\s$%!\#?§,;:*~/\\|^=\[\]{}()`\x00-\x1f\x7f-\x9f]{3,255}""")
PERSON_NAME = re.compile(r"""[^<>&"$%!\#?§;*~/\\|^=\[\]{}()\x00-\x1f\x7f-\x9f\u2028\u2029]{0,255}""")
EMAIL = re.compile(
    r"(?=[^@]{1,64}@)[a-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?",
    re.IGNORECASE | re.ASCII,
)
"""Keycloak's validators username-prohibited-characters, person-name-prohibited-characters, length and email, as
its stock user profile has them (fact: names-are-judged-when-posted). Where its rules are wider than any mail
server's, these are narrower."""

KEPT_SECONDS = 10.0
LONGEST_EMAIL = 255
NOT_IN_USERNAMES = "< > & \" ' ` $ % ! # ? § , ; : * ~ / \\ | ^ = [ ] { } ( )"
NOT_IN_NAMES = '< > & " $ % ! # ? § ; * ~ / \\ | ^ = [ ] { } ( )'


def wrong_names(wanted: DesiredState) -> Iterator[str]:
    """What Keycloak's user profile would refuse, in words for a person; nothing if all is well."""
    if not USERNAME.fullmatch(wanted.username) or not all(map(_latin, wanted.username)):
        yield f"the username needs 3 to 255 Latin letters and digits, no blank and none of {NOT_IN_USERNAMES}"
    if len(wanted.email) > LONGEST_EMAIL or not EMAIL.fullmatch(wanted.email):
        yield f"{wanted.email!r} is not an e-mail address"
    for title, name in (("given name", wanted.given_name), ("family name", wanted.family_name)):
        if not PERSON_NAME.fullmatch(name):
            yield f"the {title} needs at most 255 characters and none of {NOT_IN_NAMES}"


def _latin(character: str) -> bool:
    """Keycloak's validator username-not-idn-homograph takes Latin letters and no look-alikes of other scripts."""
    return character.isascii() or unicodedata.name(character, "").startswith("LATIN ")


class DeclaredAttributes:
    """Whether the realm's user profile declares the attributes that fsm-identity owns. A good answer counts for
    `KEPT_SECONDS`: somebody may edit the profile while a worker runs. `now` returns seconds on a clock that never
    goes back."""

    def __init__(self, connection: Connection, now: Callable[[], float]) -> None:
        self._connection = connection
        self._now = now
        self._seen: float | None = None

    def check(self) -> None:
        """Raises Misconfigured if one is missing: a user would be written that does not say whose it is."""
        at = self._now()
        if self._seen is not None and at - self._seen < KEPT_SECONDS:
            return
        profile = self._connection.get("users/profile")
        declared = {attribute["name"] for attribute in profile.get("attributes", ())}
        missing = sorted(OWNED_ATTRIBUTES - declared)
        if missing:
            raise Misconfigured(
                f"the user profile of the realm {self._connection.realm!r} does not declare {', '.join(missing)}; "
                "run `fsm-identity realm apply`",
                code=FailureCode.REALM_BEHIND,
            )
        self._seen = at
