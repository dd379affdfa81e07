"""The live check opens only on a clear yes."""

from __future__ import annotations

import httpx
import pytest

from sync.claims import LiveCheck, LiveCheckUnavailable, SessionEnded

pytestmark = [pytest.mark.req("A6"), pytest.mark.supports("D6")]


def check_against(answer: httpx.Response | httpx.TransportError) -> None:
    def respond(request: httpx.Request) -> httpx.Response:
        assert request.content == b"token=a-token"
        assert request.headers["Authorization"].startswith("Basic ")
        if isinstance(answer, httpx.Response):
            return answer
        raise answer

    http = httpx.Client(transport=httpx.MockTransport(respond))
    LiveCheck("https://login.example.com/introspect", "work-orders", "secret", http=http).check("a-token")


def test_an_active_session_passes() -> None:
    """`active: true` is the only answer that opens."""
    check_against(httpx.Response(200, json={"active": True, "sub": "p"}))


def test_an_ended_session_is_refused() -> None:
    """RFC 7662, 2.2: `active: false` says no more than that."""
    with pytest.raises(SessionEnded):
        check_against(httpx.Response(200, json={"active": False}))


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(401, json={"error": "invalid_client"}),
        httpx.Response(500, json={"active": True}),
        httpx.Response(200, json={"active": "true"}),
        httpx.Response(200, json={"active": 1}),
        httpx.Response(200, json={}),
        httpx.Response(200, json=[True]),
        httpx.Response(200, text="active"),
        httpx.Response(302, headers={"Location": "https://elsewhere.example.com"}),
        httpx.ReadTimeout("slow"),
        httpx.ConnectError("down"),
    ],
)
def test_no_clear_answer_is_no_access(answer: httpx.Response | httpx.TransportError) -> None:
    """Anything else closes the route, and is told apart from an ended session."""
    with pytest.raises(LiveCheckUnavailable) as refused:
        check_against(answer)
    assert "secret" not in str(refused.value)
