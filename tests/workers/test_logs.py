"""What a worker's log may show."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import structlog

from workers import logs


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    yield
    structlog.reset_defaults()


@pytest.mark.supports("G1")
def test_a_traceback_shows_no_values(capsys: pytest.CaptureFixture[str]) -> None:
    """The place of an unforeseen error is told, the password in a variable beside it is not."""

    def create_user(password: str) -> None:
        raise TypeError(f"an answer of {len(password)} parts")

    logs.configure()
    try:
        create_user("-".join(["temporary", "secret"]))
    except TypeError as error:
        structlog.get_logger().error("unforeseen error", account="a-1", exc_info=error)
    shown = capsys.readouterr().out
    assert "in create_user" in shown
    assert "account=a-1" in shown
    assert "temporary-secret" not in shown
