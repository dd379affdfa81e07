"""Column types that turn what the databases hold into the values of the domain, the same on both."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    CheckConstraint,
    Column,
    ColumnElement,
    DateTime,
    Dialect,
    Integer,
    Text,
    literal_column,
)
from sqlalchemy.types import TypeDecorator

from sync.domain.deactivation.gate import OpenWorkOrder
from sync.domain.errors import Difference
from sync.domain.provisioning.change import AnyChange, from_record, record

SORTED_TEXT = Text().with_variant(Text(collation="C"), "postgresql")
"""Text that both databases sort by code point, whatever the locale of the server."""


class UtcDateTime(TypeDecorator[datetime]):
    """An aware time in UTC. Naive ones are refused with ValueError.

    SQLite keeps text of a fixed width, which compares like the times it stands for.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value!r} has no time zone; store aware times only")
        in_utc = value.astimezone(UTC)
        return in_utc.replace(tzinfo=None) if dialect.name == "sqlite" else in_utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if dialect.name == "sqlite" else value.astimezone(UTC)


class _JsonValue(TypeDecorator[Any]):
    """JSON kept as it was written; None is SQL's NULL, never JSON's null."""

    impl = JSON
    cache_ok = True

    def __init__(self) -> None:
        super().__init__(none_as_null=True)


class JsonObject(_JsonValue):
    """A JSON object or list as plain Python."""

    cache_ok = True


class TextList(_JsonValue):
    """A tuple of texts in their order."""

    cache_ok = True

    def process_bind_param(self, value: Iterable[str] | None, dialect: Dialect) -> list[str] | None:  # noqa: ARG002
        return None if value is None else list(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> tuple[str, ...] | None:  # noqa: ANN401, ARG002
        return None if value is None else tuple(value)


class DifferenceList(_JsonValue):
    """A tuple of `Difference`."""

    cache_ok = True

    def process_bind_param(
        self,
        value: Iterable[Difference] | None,
        dialect: Dialect,  # noqa: ARG002
    ) -> list[dict[str, str]] | None:
        if value is None:
            return None
        return [{"what": each.what, "wanted": each.wanted, "found": each.found} for each in value]

    def process_result_value(self, value: Any, dialect: Dialect) -> tuple[Difference, ...] | None:  # noqa: ANN401, ARG002
        return None if value is None else tuple(Difference(**each) for each in value)


class ChangeList(_JsonValue):
    """A tuple of changes, as their records."""

    cache_ok = True

    def process_bind_param(
        self,
        value: Iterable[AnyChange] | None,
        dialect: Dialect,  # noqa: ARG002
    ) -> list[dict[str, Any]] | None:
        return None if value is None else [record(each) for each in value]

    def process_result_value(self, value: Any, dialect: Dialect) -> tuple[AnyChange, ...] | None:  # noqa: ANN401, ARG002
        return None if value is None else tuple(from_record(each) for each in value)


class WorkOrderList(_JsonValue):
    """A tuple of `OpenWorkOrder`."""

    cache_ok = True

    def process_bind_param(
        self,
        value: Iterable[OpenWorkOrder] | None,
        dialect: Dialect,  # noqa: ARG002
    ) -> list[dict[str, object]] | None:
        if value is None:
            return None
        return [
            {
                "number": each.number,
                "status": each.status,
                "customer": each.customer,
                "date": each.date.isoformat() if each.date else None,
                "holds": list(each.holds),
            }
            for each in value
        ]

    def process_result_value(self, value: Any, dialect: Dialect) -> tuple[OpenWorkOrder, ...] | None:  # noqa: ANN401, ARG002
        if value is None:
            return None
        return tuple(
            OpenWorkOrder(
                number=each["number"],
                status=each["status"],
                customer=each["customer"],
                date=date.fromisoformat(each["date"]) if each["date"] else None,
                holds=tuple(each["holds"]),
            )
            for each in value
        )


def one_of(column: str, values: Iterable[str]) -> CheckConstraint:
    """A named CHECK that the column holds one of the values (or NULL, where the column allows it)."""
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({listed})", name=column)


def lease_columns() -> tuple[Column[Any], ...]:
    """Who works on a row (`store.work.lease_rows`): until when, under which token, which process, and how many
    workers in a row ended over it with no outcome."""
    return (
        Column("lease_until", UtcDateTime),
        Column("lease_token", Text),
        Column("held_by", Text),
        Column("takeovers", Integer, nullable=False, server_default="0"),
    )


def condition(sql: str) -> ColumnElement[bool]:
    """A condition as it stands, for partial indexes and the queries that shall use them.

    It has no type on purpose: a Boolean would be compared with 1 on SQLite, and the index be passed over.
    """
    untyped: ColumnElement[bool] = literal_column(f"({sql})")
    return untyped
