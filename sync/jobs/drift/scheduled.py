"""The comparison and the pass over all attributes as periodic jobs."""

from __future__ import annotations

from datetime import timedelta

from sync.jobs.drift.compare import compare
from sync.jobs.drift.compare_attributes import compare_attributes
from sync.jobs.work.job import Job

COMPARISON = Job(compare, period=timedelta(hours=6))
"""A fact changed in Keycloak's console stays unnoticed for so long at most, unless an event hints at it."""

ATTRIBUTE_PASS = Job(compare_attributes, period=timedelta(hours=24))
"""Only administrators of the realm can change these attributes; the pass costs Keycloak ten times as much."""
