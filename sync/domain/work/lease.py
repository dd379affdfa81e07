"""How long a claim is one worker's, and when it becomes another's (H1, rule: the-lease-fences-our-row)."""

from __future__ import annotations

from datetime import timedelta

LEASE = timedelta(seconds=60)
"""How long a claim is ours if we say nothing more. Its holder keeps it before each request, so it need only
outlast one. Twice the longest request that the settings allow, and what clocks may differ by, fit in it."""

SIGN_EVERY = timedelta(seconds=5)
"""How often a process that works says that it lives."""

SILENT_AFTER = timedelta(seconds=15)
"""Three signs of life that did not come: what the process holds may be taken away before its leases run out. So
long a holder may also send without asking whether it still holds what it claimed or kept."""
