"""The figures as Prometheus metrics. Names and labels are made here and nowhere else; the alert rules and the
dashboard use them.

Labels are keys of ours (lanes, states, kinds, jobs), never a name, an address or a reason.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import inf

from prometheus_client.core import GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric

from sync.domain.acts import OPEN
from sync.domain.drift.kinds import KINDS
from sync.domain.errors import FailureCode
from sync.domain.work.circuit import CircuitState
from sync.domain.work.lane import Lane
from sync.store.drift.findings import LIVE
from sync.store.mail.unreachable import Why
from sync.store.operations.figures import COMES_BACK, REPAIRING, UNFINISHED_RUNS, Figures

MAIL_STATES = ("waiting", "due", "sending", "failed", "expired")
SYSTEMS_WAITED_FOR = ("configuration",)


def metrics(figures: Figures) -> Iterator[Metric]:
    """Every metric, also those that are 0: a rule on a metric that is not there never fires."""
    yield from _lanes(figures)
    yield from _latency(figures)
    yield from _circuits(figures)
    yield from _people(figures)
    yield from _drift(figures)
    yield from _runs(figures)
    yield from _mails_and_commands(figures)
    yield from _jobs(figures)
    yield from _audit(figures)
    yield from _logins(figures)
    yield from _login_probe(figures)
    yield from _workers(figures)


def gauge(name: str, help_: str, value: float) -> Metric:
    return GaugeMetricFamily(name, help_, value=value)


def _lanes(figures: Figures) -> Iterator[Metric]:
    due = GaugeMetricFamily("fsm_lane_due", "Work that waits to be begun.", labels=["lane"])
    leased = GaugeMetricFamily("fsm_lane_leased", "Work that workers are at.", labels=["lane"])
    later = GaugeMetricFamily("fsm_lane_later", "Work that waits for a time to come.", labels=["lane"])
    failing = GaugeMetricFamily("fsm_lane_failing", "Work whose last try failed, due or later.", labels=["lane"])
    oldest = GaugeMetricFamily(
        "fsm_lane_oldest_age_seconds", "How long the oldest due work waits; 0: none does.", labels=["lane"]
    )
    paused = GaugeMetricFamily("fsm_lane_paused", "1 while an operator has paused the lane.", labels=["lane"])
    for each in figures.lanes:
        lane = [each.lane.value]
        due.add_metric(lane, each.due)
        leased.add_metric(lane, each.leased)
        later.add_metric(lane, each.later)
        failing.add_metric(lane, each.failing)
        oldest.add_metric(lane, figures.age(each.oldest_due_at))
        paused.add_metric(lane, each.pause is not None)
    yield from (due, leased, later, failing, oldest, paused)


def _latency(figures: Figures) -> Iterator[Metric]:
    taken = HistogramMetricFamily(
        "fsm_change_seconds", "From a change being wanted to Keycloak having it.", labels=["lane"]
    )
    for lane, histogram in figures.latency.items():
        taken.add_metric([lane.value], list(histogram.buckets.items()), histogram.seconds)
    yield taken


def _circuits(figures: Figures) -> Iterator[Metric]:
    opened = GaugeMetricFamily("fsm_circuit_open", "1 while nothing is asked of the system.", labels=["circuit"])
    seconds = GaugeMetricFamily("fsm_circuit_open_seconds", "Since when it is open, else 0.", labels=["circuit"])
    waiting = GaugeMetricFamily(
        "fsm_waiting_accounts", "Accounts that wait for a system or for something to be mended.", labels=["system"]
    )
    for each in figures.circuits:
        is_open = each.state is not CircuitState.CLOSED
        opened.add_metric([each.name.value], is_open)
        seconds.add_metric([each.name.value], figures.age(each.opened_at) if is_open else 0)
    systems = [*(each.name.value for each in figures.circuits), *SYSTEMS_WAITED_FOR]
    for system in systems:
        waiting.add_metric([system], sum(each.count for each in figures.waiting if each.kind == system))
    yield from (opened, seconds, waiting)
    yield gauge("fsm_troubles", "Troubles that workers met around them; `ops status` names them.", figures.noted)


def _people(figures: Figures) -> Iterator[Metric]:
    quarantined = GaugeMetricFamily(
        "fsm_quarantined_accounts", "Accounts that nobody looks at before a person asks.", labels=["code"]
    )
    for code in FailureCode:
        quarantined.add_metric([code.value], figures.quarantined.get(code.value, 0))
    yield quarantined
    locked = GaugeMetricFamily(
        "fsm_locked_out", "People whom Keycloak's lockout keeps out, as last seen.", labels=["until"]
    )
    locked.add_metric(["its end"], figures.locked_out.for_a_time)
    locked.add_metric(["a person unlocks"], figures.locked_out.for_good)
    yield locked
    yield gauge(
        "fsm_leavers_not_disabled",
        "People wanted inactive whom Keycloak refuses to disable; what could be withdrawn is.",
        figures.not_disabled,
    )
    yield gauge(
        "fsm_deactivations_held",
        "Deactivations, and changes that take the technician, that wait for open work orders.",
        figures.held,
    )
    yield gauge("fsm_deactivations_overdue", "Held deactivations past their deadline.", figures.overdue)
    yield gauge(
        "fsm_deactivations_oldest_age_seconds",
        "How long the oldest held deactivation is held; 0: none is.",
        figures.age(figures.oldest_held_at),
    )
    yield gauge("fsm_work_orders_stranded", "Open work orders of technicians who lost access.", figures.stranded)
    yield gauge("fsm_reassignments", "Technicians whose work orders are still to be moved.", figures.reassignments)
    yield gauge(
        "fsm_reassignments_oldest_age_seconds",
        "How long ago the oldest of them was asked for; 0: none waits.",
        figures.age(figures.oldest_reassignment_at),
    )


def _drift(figures: Figures) -> Iterator[Metric]:
    findings = GaugeMetricFamily(
        "fsm_drift",
        "Findings that are open, accepted, being repaired, or coming back after repairs.",
        labels=["attribute", "state"],
    )
    for attribute in KINDS:
        for state in (*LIVE, REPAIRING, COMES_BACK):
            counted = [each.count for each in figures.drift if (each.attribute, each.state) == (attribute, state)]
            findings.add_metric([attribute.value, state], sum(counted))
    yield findings


def _runs(figures: Figures) -> Iterator[Metric]:
    runs = GaugeMetricFamily("fsm_runs", "Runs that have not ended.", labels=["state"])
    for state in UNFINISHED_RUNS:
        runs.add_metric([state], sum(each.state == state for each in figures.runs))
    yield runs
    yield gauge(
        "fsm_run_rows_pending",
        "Rows of approved runs that are not in our database yet.",
        sum(each.pending for each in figures.runs if each.state != "held"),
    )
    yield gauge(
        "fsm_run_still_seconds",
        "How long no row of an approved run was applied that has some; 0: none waits.",
        figures.runs_still_seconds,
    )


def _mails_and_commands(figures: Figures) -> Iterator[Metric]:
    mails = GaugeMetricFamily("fsm_mails", "Mails that were not sent.", labels=["state"])
    for state in MAIL_STATES:
        mails.add_metric([state], figures.mails.get(state, 0))
    yield mails
    yield gauge("fsm_people_without_mail", "People who got no mail and never logged in.", figures.undelivered)
    unreachable = GaugeMetricFamily(
        "fsm_unreachable_addresses",
        "People whose e-mail address was refused, or mails came back from.",
        labels=["why"],
    )
    for why in Why:
        unreachable.add_metric([why.value], figures.unreachable[why])
    yield unreachable
    acts = GaugeMetricFamily("fsm_acts", "One-shot acts that have not ended.", labels=["state"])
    for state in sorted(each.value for each in OPEN):
        acts.add_metric([state], figures.acts.get(state, 0))
    yield acts
    yield gauge(
        "fsm_acts_oldest_age_seconds",
        "How long the oldest act is due; 0: none is.",
        figures.age(figures.oldest_act_at),
    )


def _audit(figures: Figures) -> Iterator[Metric]:
    yield gauge("fsm_audit_unchained", "Audit entries that have no number yet.", figures.unchained.count)
    yield gauge(
        "fsm_audit_unchained_age_seconds",
        "How long the oldest of them waits for its number; 0: none does.",
        figures.age(figures.unchained.since),
    )


def _jobs(figures: Figures) -> Iterator[Metric]:
    """`job` itself is Prometheus' own label."""
    failures = GaugeMetricFamily("fsm_job_failures", "Failures in a row of a periodic job.", labels=["job_name"])
    ended = GaugeMetricFamily(
        "fsm_job_last_success_age_seconds",
        "Since its last good end; absent: it failed.",
        labels=["job_name"],
    )
    takeovers = GaugeMetricFamily(
        "fsm_job_takeovers", "Workers in a row that ended over it without a word.", labels=["job_name"]
    )
    overdue = GaugeMetricFamily("fsm_job_overdue_seconds", "How long it waits for its run.", labels=["job_name"])
    for each in figures.jobs:
        failures.add_metric([each.name], each.attempts)
        takeovers.add_metric([each.name], each.takeovers)
        waits = each.leased_until is None
        overdue.add_metric([each.name], figures.age(each.due_at) if waits else 0)
        if each.error is None and each.finished_at is not None:
            ended.add_metric([each.name], figures.age(each.finished_at))
    yield from (failures, takeovers, ended, overdue)


def _logins(figures: Figures) -> Iterator[Metric]:
    yield gauge(
        "fsm_login_events_age_seconds",
        "How long ago logins were read to; 0: not read yet.",
        figures.age(figures.logins_read_until),
    )
    yield gauge(
        "fsm_login_events_kept_seconds",
        "How long Keycloak keeps logins; 0: for ever, or not read yet.",
        figures.logins_kept_seconds,
    )
    yield gauge(
        "fsm_login_gaps",
        "Spans of time that ended in the last day, in which logins may have been missed.",
        len(figures.login_gaps),
    )


def _login_probe(figures: Figures) -> Iterator[Metric]:
    probe = figures.login_probe
    yield gauge(
        "fsm_keycloak_answers", "1 if Keycloak answered the last question; 0: it did not.", _answers(figures)
    )
    yield gauge(
        "fsm_keycloak_asked_age_seconds",
        "How long ago Keycloak was asked whether it answers; +Inf: never.",
        inf if probe is None else figures.age(probe.asked_at),
    )
    yield gauge(
        "fsm_login_failures", "Failed logins of users in the last ten minutes.", figures.login_failures.attempts
    )


def _answers(figures: Figures) -> bool:
    """Where nobody has asked yet, the age says so."""
    return figures.login_probe is None or figures.login_probe.answers


def _workers(figures: Figures) -> Iterator[Metric]:
    alive = [each for each in figures.workers if not each.is_gone(figures.at)]
    serving = GaugeMetricFamily("fsm_workers", "Workers seen in the last minute.", labels=["lane"])
    for lane in sorted(Lane):
        serving.add_metric([lane.value], sum(lane.value in each.lanes for each in alive))
    yield serving
    yield gauge(
        "fsm_beat_age_seconds",
        "How long ago the beat ticked; +Inf: not in the last hour.",
        inf if figures.beat_at is None else figures.age(figures.beat_at),
    )
    yield gauge("fsm_workers_gone", "Workers that fell silent and were not replaced.", len(figures.missed))
    yield gauge(
        "fsm_workers_in_trouble",
        "Workers that touch no account.",
        sum(each.trouble is not None for each in alive),
    )
