"""What the HTTP adapter does when the FSM system is slow, away, or answers anything but the contract (D2, D3)."""

from __future__ import annotations

import json
import logging
import time
import traceback
from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
import requests
import responses
from responses import matchers

from mappings import load
from sync.adapters.fsm import http_asking
from sync.adapters.fsm.http import BEGUN_AGAIN, HttpFieldService
from sync.domain.deactivation.gate import OpenWorkOrder
from sync.domain.errors import Failure, FailureCode, Misconfigured, NeedsPerson, Transient
from sync.ports.lease import kept
from tests.adapters.keycloak.test_deadline import dripping_server

URL = "https://fsm.example.com/identity"
TOKEN = "token-that-nobody-may-see"
ORDERS = f"{URL}/technicians/T-1/work-orders"
STOP = f"{URL}/technicians/T-1/assignment-stops/account-1"
ORDER = {"number": "WO-1", "status": "scheduled", "customer": "Kino Lux", "date": "2026-09-08", "holds": ["lead"]}
POLICY = load().work_orders


@pytest.fixture
def fsm() -> HttpFieldService:
    return HttpFieldService(URL, TOKEN, POLICY, timeout_seconds=5)


@pytest.fixture
def answers() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


def page(*orders: dict[str, Any], **other: Any) -> dict[str, Any]:
    return {
        "snapshot": "s-1",
        "total": len(orders),
        "items": list(orders),
        "next": None,
        "technician": "T-1",
        **other,
    }


def order(nth: int, **other: Any) -> dict[str, Any]:
    return {**ORDER, "number": f"WO-{nth}", **other}


def on_page(mark: str) -> Any:
    return matchers.query_param_matcher({"page": mark}, strict_match=False)


def failure_of(question: Callable[[], object]) -> Failure:
    with pytest.raises(Failure) as caught:
        question()
    assert TOKEN not in str(caught.value)
    told = "".join(traceback.format_exception(caught.value))
    assert TOKEN not in told
    return caught.value


@pytest.mark.supports("D1")
def test_the_question_carries_the_token_and_what_counts(
    answers: responses.RequestsMock, fsm: HttpFieldService
) -> None:
    """What is closed and what counts as held is ours to say."""
    answers.get(ORDERS, json=page(ORDER))
    [found] = fsm.open_work_orders("T-1")
    assert isinstance(found, OpenWorkOrder)
    assert str(found) == "WO-1 (scheduled, Kino Lux, 2026-09-08, as lead)"
    asked = answers.calls[0].request
    assert asked.headers["Authorization"] == f"Bearer {TOKEN}"
    assert set(asked.params["closed_status"]) == POLICY.closed_statuses
    assert set(asked.params["holds"]) == POLICY.assignments


@pytest.mark.supports("D2")
def test_our_policy_has_the_last_word(answers: responses.RequestsMock, fsm: HttpFieldService) -> None:
    """An FSM system that leaves nothing out is as good; a status nobody listed is open, and none at all is."""
    found = (order(3, status=" Completed "), order(2, status="never heard of"), order(1, status=None))
    answers.get(ORDERS, json=page(*found))
    assert [(each.number, each.status) for each in fsm.open_work_orders("T-1")] == [
        ("WO-1", "no status"),
        ("WO-2", "never heard of"),
    ]


@pytest.mark.supports("D2", "H2")
@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (json.dumps(page(ORDER))[:40], Transient),
        ("", Transient),
        ("<html>maintenance</html>", Transient),
        (json.dumps({"error": "the database is away"}), Transient),
        (json.dumps(page(error="the database is away")), Transient),
        (json.dumps(page(total=2)), Transient),
        (json.dumps(page(ORDER, total=2)), Transient),
        ("[" * 100_000, Transient),
        ("null", Misconfigured),
        ("[]", Misconfigured),
        ("{}", Misconfigured),
        (json.dumps(page(items=None)), Misconfigured),
        (json.dumps(page(ORDER, total=0)), Transient),
        (json.dumps(page(total="0")), Misconfigured),
        (json.dumps(page(total=-1)), Misconfigured),
        (json.dumps(page(technician="T-2")), Misconfigured),
        (json.dumps(page(message="something is wrong")), Misconfigured),
        (json.dumps({key: value for key, value in page().items() if key != "next"}), Misconfigured),
        (json.dumps({key: value for key, value in page().items() if key != "total"}), Misconfigured),
        (json.dumps(page(order(1), order(1))), Misconfigured),
        (json.dumps(page(order(1, number=1))), Misconfigured),
        (json.dumps(page(order(1, number=""))), Misconfigured),
        (json.dumps(page(order(1, status=3))), Misconfigured),
        (json.dumps(page(order(1, date="soon"))), Misconfigured),
        (json.dumps(page(order(1, holds=[]))), Misconfigured),
        (json.dumps(page(order(1, holds=["driver"]))), Misconfigured),
    ],
)
def test_an_answer_that_is_not_whole_is_never_no_work(
    answers: responses.RequestsMock, fsm: HttpFieldService, body: str, kind: type[Failure]
) -> None:
    """Half a page, an error inside a 200, a wrong type, a field too many or too few: unknown means stop."""
    answers.get(ORDERS, body=body, content_type="application/json")
    failure = failure_of(lambda: fsm.open_work_orders("T-1"))
    assert type(failure) is kind
    assert failure.system == "fsm"


@pytest.mark.supports("H2")
@pytest.mark.parametrize(
    ("status", "body", "kind", "code"),
    [
        (500, "oh", Transient, FailureCode.UNAVAILABLE),
        (503, '{"code": "technician-unknown"}', Transient, FailureCode.UNAVAILABLE),
        (429, "", Transient, FailureCode.UNAVAILABLE),
        (401, '{"code": "token-refused"}', Misconfigured, FailureCode.ACCESS_REFUSED),
        (403, "", Misconfigured, FailureCode.ACCESS_REFUSED),
        (404, "no such page", Misconfigured, FailureCode.CONTRACT_DIFFERS),
        (404, '{"code": "route-unknown"}', Misconfigured, FailureCode.CONTRACT_DIFFERS),
        (410, '{"code": "technician-unknown"}', Misconfigured, FailureCode.CONTRACT_DIFFERS),
        (204, "", Misconfigured, FailureCode.CONTRACT_DIFFERS),
        (206, json.dumps(page()), Misconfigured, FailureCode.CONTRACT_DIFFERS),
        (307, "", Misconfigured, FailureCode.SETTING_WRONG),
    ],
)
def test_what_a_status_means(
    answers: responses.RequestsMock,
    fsm: HttpFieldService,
    status: int,
    body: str,
    kind: type[Failure],
    code: FailureCode,
) -> None:
    """Only 200 is an answer, and no redirect is followed: it would carry the token elsewhere."""
    elsewhere = answers.get("https://elsewhere.example.com/", json=page())
    answers.get(
        ORDERS,
        status=status,
        body=body,
        headers={"Location": "https://elsewhere.example.com/", "Retry-After": "90"},
    )
    failure = failure_of(lambda: fsm.open_work_orders("T-1"))
    assert (type(failure), failure.code) == (kind, code)
    assert failure.retry_after == (timedelta(seconds=90) if kind is Transient else None)
    assert elsewhere.call_count == 0
    assert len(answers.calls) == 1


@pytest.mark.supports("H2")
@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (requests.exceptions.ReadTimeout("read timed out"), Transient),
        (requests.exceptions.ConnectionError("Connection refused"), Transient),
        (requests.exceptions.ChunkedEncodingError("IncompleteRead(7 bytes read)"), Transient),
        (requests.exceptions.SSLError("certificate verify failed"), Misconfigured),
    ],
    ids=lambda each: getattr(each, "__name__", type(each).__name__),
)
def test_no_answer_is_sent_for_once(
    answers: responses.RequestsMock, fsm: HttpFieldService, error: Exception, kind: type[Failure]
) -> None:
    """The move may have been carried out; whoever asked looks before it is sent again."""
    answers.post(f"{ORDERS}/move", body=error)
    assert type(failure_of(lambda: fsm.reassign("T-1", "T-2"))) is kind
    assert len(answers.calls) == 1


@pytest.mark.supports("H1", "H2")
@pytest.mark.parametrize(
    "begins", [b"", b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n{"]
)
def test_a_slow_answer_ends_at_the_deadline(begins: bytes) -> None:
    """However little each byte lets us wait."""
    with dripping_server({b"/technicians": begins}) as url:
        slow = HttpFieldService(url, TOKEN, POLICY, timeout_seconds=0.5)
        begun = time.monotonic()
        failure = failure_of(lambda: slow.open_work_orders("T-1"))
    assert isinstance(failure, Transient)
    assert "no answer in time" in str(failure)
    assert time.monotonic() - begun < 3


@pytest.mark.supports("H2")
def test_a_body_without_end_is_given_up(
    answers: responses.RequestsMock, fsm: HttpFieldService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever is in it, it is not kept in memory."""
    monkeypatch.setattr(http_asking, "LARGEST_BODY", 1000)
    answers.get(ORDERS, body=" " * 1001 + json.dumps(page()))
    assert "smaller pages" in str(failure_of(lambda: fsm.open_work_orders("T-1")))


@pytest.mark.supports("D1")
def test_pages_of_one_moment_are_one_list(answers: responses.RequestsMock, fsm: HttpFieldService) -> None:
    """However many there are."""
    answers.get(ORDERS, json=page(order(2), total=3, next="b"))
    answers.get(ORDERS, json=page(order(1), total=3, next="c"), match=[on_page("b")])
    answers.get(ORDERS, json=page(order(3), total=3), match=[on_page("c")])
    assert [each.number for each in fsm.open_work_orders("T-1")] == ["WO-1", "WO-2", "WO-3"]


@pytest.mark.supports("D3")
def test_another_moment_begins_the_list_again(answers: responses.RequestsMock, fsm: HttpFieldService) -> None:
    """A work order that moved from a page not read yet to one that was read would be seen by nobody."""
    answers.get(ORDERS, json=page(order(1), total=2, next="b"))
    answers.get(ORDERS, json=page(order(3), total=2, snapshot="s-2"), match=[on_page("b")])
    answers.get(ORDERS, json=page(order(2), total=2, snapshot="s-2", next="b"))
    answers.get(ORDERS, json=page(order(3), total=2, snapshot="s-2"), match=[on_page("b")])
    assert [each.number for each in fsm.open_work_orders("T-1")] == ["WO-2", "WO-3"]


@pytest.mark.supports("D2", "D3")
def test_a_list_that_never_stands_still_is_not_believed(
    answers: responses.RequestsMock, fsm: HttpFieldService
) -> None:
    """The account waits and is looked at again."""
    marks = count()

    def another(_request: object) -> tuple[int, dict[str, str], str]:
        return 200, {}, json.dumps(page(order(1), total=2, next="b", snapshot=str(next(marks))))

    answers.add_callback("GET", ORDERS, another)
    failure = failure_of(lambda: fsm.open_work_orders("T-1"))
    assert isinstance(failure, Transient)
    assert "changes while it is read" in str(failure)
    assert len(answers.calls) == 2 * BEGUN_AGAIN


@pytest.mark.supports("D2")
def test_pages_that_go_round_end(answers: responses.RequestsMock, fsm: HttpFieldService) -> None:
    """The third page names the second."""
    answers.get(ORDERS, json=page(total=9, next="b"))
    answers.get(ORDERS, json=page(order(1), total=9, next="c"), match=[on_page("b")])
    answers.get(ORDERS, json=page(order(2), total=9, next="b"), match=[on_page("c")])
    failure = failure_of(lambda: fsm.open_work_orders("T-1"))
    assert isinstance(failure, Misconfigured)
    assert "circle" in str(failure)


@pytest.mark.supports("D3")
@pytest.mark.parametrize(
    "body",
    [
        {"technician": "T-1", "stop": "account-1", "assignable": True},
        {"technician": "T-2", "stop": "account-1", "assignable": False},
        {"technician": "T-1", "stop": "account-2", "assignable": False},
        {"technician": "T-1", "stop": "account-1"},
        {"technician": "T-1", "stop": "account-1", "assignable": 0},
        {},
    ],
)
def test_a_stop_that_is_not_confirmed_is_none(
    answers: responses.RequestsMock, fsm: HttpFieldService, body: dict[str, object]
) -> None:
    """Nobody may go on to read the work orders."""
    answers.put(STOP, json=body)
    assert isinstance(failure_of(lambda: fsm.stop_assignments("T-1", "account-1")), Misconfigured)


@pytest.mark.supports("D5")
@pytest.mark.parametrize("code", ["target-busy", "request-invalid"])
def test_a_refusal_that_nobody_knows_stops_all(
    answers: responses.RequestsMock, fsm: HttpFieldService, code: str
) -> None:
    """It is not taken for one of this technician's."""
    answers.post(f"{ORDERS}/move", status=409, json={"code": code, "detail": "x"})
    assert isinstance(failure_of(lambda: fsm.reassign("T-1", "T-2")), Misconfigured)


@pytest.mark.parametrize("technician_id", ["", ".", ".."])
def test_an_id_cannot_lead_to_another_path(
    answers: responses.RequestsMock, fsm: HttpFieldService, technician_id: str
) -> None:
    """Nothing is sent; all other signs are quoted."""
    assert isinstance(failure_of(lambda: fsm.technician(technician_id)), NeedsPerson)
    assert len(answers.calls) == 0
    answers.get(f"{URL}/technicians/T%2F..%3Fx", status=404, json={"code": "technician-unknown", "detail": ""})
    assert fsm.technician("T/..?x") is None


@pytest.mark.supports("H1")
def test_nothing_is_sent_without_the_lease(fsm: HttpFieldService) -> None:
    """Who lost it stops no assignments any more."""

    def lost() -> None:
        raise Transient("the lease is lost", code=FailureCode.LEASE_LOST)

    with kept(lost):
        failure = failure_of(lambda: fsm.stop_assignments("T-1", "account-1"))
    assert failure.code is FailureCode.LEASE_LOST


def test_no_log_shows_the_token(
    answers: responses.RequestsMock, fsm: HttpFieldService, caplog: pytest.LogCaptureFixture
) -> None:
    """Nor does an error, at the loudest level, with answers that repeat it."""
    caplog.set_level(logging.DEBUG)
    answers.get(ORDERS, status=400, json={"code": TOKEN, "detail": TOKEN})
    answers.get(ORDERS, json=page(**{TOKEN: TOKEN}))
    for words in ("it refuses with 400", "not permitted"):
        assert words in str(failure_of(lambda: fsm.open_work_orders("T-1")))
    assert len(answers.calls) == 2
    assert TOKEN not in caplog.text
