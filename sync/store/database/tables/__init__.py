"""The tables of our database and what each is for. The migrations create them; a test compares the two.

One module a concept. Accounts are never deleted, so nothing cascades. What is unique "where present" is a partial
index, not a constraint: on PostgreSQL the change of a key that a foreign key could name locks the account against
every row that refers to it, and a worker and a command could wait for each other. Where a partial index has a
condition with a name, a query that uses the very same text uses the index, on SQLite too.
"""

from sync.store.database.tables.accounts import (
    ENDS,
    EXPECTED,
    FOR_GOOD,
    Delivery,
    account,
    assignment,
    attribute_value,
    initial_password,
    joiner,
    login_name,
    observation,
)
from sync.store.database.tables.acts import OPEN_ACT, SEALED_ACT, act
from sync.store.database.tables.audit import audit, audit_chain, audit_waiting
from sync.store.database.tables.circuits import circuit
from sync.store.database.tables.deactivations import (
    OPEN_DEACTIVATION,
    OPEN_REASSIGNMENT,
    STRANDED,
    ReassignmentState,
    assignment_stop,
    deactivation,
    reassignment,
    stranded_work_order,
)
from sync.store.database.tables.drift import (
    ComparisonKind,
    ComparisonState,
    DriftState,
    comparison,
    drift,
    foreign_user,
    touch,
)
from sync.store.database.tables.logins import login_activity, login_failure, login_gap
from sync.store.database.tables.mails import CURRENT_BOUNCE, NOT_SENT, UNSENT, MailState, bounce, mail
from sync.store.database.tables.metadata import metadata
from sync.store.database.tables.operations import PAUSABLE, lane_pause, latency, process, trouble, worker
from sync.store.database.tables.policies import policy, push_count
from sync.store.database.tables.realm import installation
from sync.store.database.tables.runs import PENDING_ROW, RowResult, RowVerdict, RunKind, RunState, run, run_row
from sync.store.database.tables.schedule import schedule
from sync.store.database.tables.work import Outcome, attempt, provisioning

__all__ = [
    "CURRENT_BOUNCE",
    "ENDS",
    "EXPECTED",
    "FOR_GOOD",
    "NOT_SENT",
    "OPEN_ACT",
    "OPEN_DEACTIVATION",
    "OPEN_REASSIGNMENT",
    "PAUSABLE",
    "PENDING_ROW",
    "SEALED_ACT",
    "STRANDED",
    "UNSENT",
    "ComparisonKind",
    "ComparisonState",
    "Delivery",
    "DriftState",
    "MailState",
    "Outcome",
    "ReassignmentState",
    "RowResult",
    "RowVerdict",
    "RunKind",
    "RunState",
    "account",
    "act",
    "assignment",
    "assignment_stop",
    "attempt",
    "attribute_value",
    "audit",
    "audit_chain",
    "audit_waiting",
    "bounce",
    "circuit",
    "comparison",
    "deactivation",
    "drift",
    "foreign_user",
    "initial_password",
    "installation",
    "joiner",
    "lane_pause",
    "latency",
    "login_activity",
    "login_failure",
    "login_gap",
    "login_name",
    "mail",
    "metadata",
    "observation",
    "policy",
    "process",
    "provisioning",
    "push_count",
    "reassignment",
    "run",
    "run_row",
    "schedule",
    "stranded_work_order",
    "touch",
    "trouble",
    "worker",
]
