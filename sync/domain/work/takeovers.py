"""When work is looked at alone, and when it is left to a person, because one worker after the other ended over it
(H1, H2).

A worker that is killed leaves its leases to others. That says nothing about the accounts it held: it may have
held eighty, and processes are killed for many reasons. Only the same work, again and again, with nothing else ever
coming of it, is suspected; `sync.store` counts, from the last outcome on.
"""

from __future__ import annotations

ALONE_AFTER = 3
"""Workers in a row. From here on a worker takes the account alone, after everything else that is due: it can harm
no other account any more, and what shared a batch with it has an outcome of its own."""

GIVEN_UP_AFTER = 8
"""Workers in a row, five of them with this account alone. Where a worker is killed every 2 to 5 s for another
reason, an account alone, which takes some tenths of a second, meets that five times in a row once in millions."""

JOB_TOLD_AFTER = 3
"""Workers in a row over a periodic job. It is not given up: nobody else would do it."""
