"""The real services that need no download of their own: Redis, PostgreSQL, the mail catcher."""

from __future__ import annotations

import smtplib
from email.message import EmailMessage
from pathlib import Path

import psycopg
import pytest
import redis
import sqlalchemy

from sync.devstack.ports import free_ports, listens
from sync.devstack.process import alive, end, launch, wait_until_ready
from sync.devstack.services.redis_server import redis_answers, redis_launch, redis_url
from tests.services import MailCatcher, PostgresServer, RedisServer

pytestmark = pytest.mark.supports("J1")


def test_redis_keeps_what_it_accepted_and_never_forgets_keys_for_memory(redis_server: RedisServer) -> None:
    """The settings that Celery's broker needs are in force, not only in a file."""
    client = redis.Redis.from_url(redis_server.url)
    assert client.config_get("appendonly")["appendonly"] == "yes"
    assert client.config_get("maxmemory-policy")["maxmemory-policy"] == "noeviction"
    assert client.config_get("bind")["bind"] == "127.0.0.1"


def test_redis_refuses_a_client_without_the_password(redis_server: RedisServer) -> None:
    """Another user of the machine cannot put messages into the queues."""
    address = redis.connection.parse_url(redis_server.url)
    client = redis.Redis(host=address["host"], port=address["port"], retry=None)
    with pytest.raises(redis.AuthenticationError):
        client.ping()


def test_redis_is_emptied_for_a_module(redis_server: RedisServer, clean_redis_url: str) -> None:
    """What another module left does not reach this one."""
    assert redis.Redis.from_url(clean_redis_url).dbsize() == 0


def test_redis_survives_a_kill_with_its_data(tmp_path: Path) -> None:
    """A message that was accepted is there again after the process was killed and started anew (H1)."""
    [port] = free_ports(1)
    url = redis_url(port, "secret")
    wanted = redis_launch(tmp_path / "redis", port, "secret", tmp_path / "redis.log")
    first = launch(wanted)
    try:
        wait_until_ready(first, lambda: redis_answers(url), seconds=20)
        client = redis.Redis.from_url(url)
        client.config_set("appendfsync", "always")
        client.rpush("queue", "message")
    finally:
        end([first], seconds=0)
    assert not alive(first)
    second = launch(wanted)
    try:
        wait_until_ready(second, lambda: redis_answers(url), seconds=20)
        assert redis.Redis.from_url(url).lrange("queue", 0, -1) == [b"message"]
    finally:
        end([second])
    assert not listens(port)


@pytest.mark.postgres
def test_each_postgres_database_is_empty_and_its_own(postgres_server: PostgresServer) -> None:
    """A table made in one database is not in the next one."""
    for _ in range(2):
        with postgres_server.database() as url:
            engine = sqlalchemy.create_engine(url)
            with engine.begin() as connection:
                connection.execute(sqlalchemy.text("CREATE TABLE person (id int)"))
            assert sqlalchemy.inspect(engine).get_table_names() == ["person"]
            engine.dispose()


@pytest.mark.postgres
def test_a_postgres_database_goes_even_if_someone_is_connected(postgres_server: PostgresServer) -> None:
    """A test that leaves a connection open does not make the next ones fail."""
    with postgres_server.database() as url:
        left_open = psycopg.connect(url.replace("+psycopg", ""))
    with pytest.raises(psycopg.OperationalError):
        left_open.execute("SELECT 1")


@pytest.mark.postgres
def test_postgres_refuses_a_wrong_password(postgres_url: str) -> None:
    """Another user of the machine cannot read the database."""
    wrong = sqlalchemy.make_url(postgres_url).set(password="wrong")
    with pytest.raises(sqlalchemy.exc.OperationalError, match="password authentication failed"):
        sqlalchemy.create_engine(wrong).connect()


def test_a_database_url_answers_for_each_kind(database_url: str) -> None:
    """The fixture that the store's tests use gives a database that works."""
    with sqlalchemy.create_engine(database_url).connect() as connection:
        assert connection.execute(sqlalchemy.text("SELECT 1")).scalar_one() == 1


def test_a_mail_becomes_a_file_with_its_envelope(mail_catcher: MailCatcher) -> None:
    """Subject, text and recipients arrive as they were sent, umlauts too."""
    mail = EmailMessage()
    mail["From"] = "fsm-identity@example.com"
    mail["To"] = "Jörg Weiß <joerg@example.com>"
    mail["Subject"] = "Willkommen, Jörg"
    mail.set_content("Grüße")
    with smtplib.SMTP(mail_catcher.host, mail_catcher.port) as client:
        client.send_message(mail)
    [found] = mail_catcher.wait(which=lambda m: m["Subject"] == "Willkommen, Jörg")
    assert found["X-Envelope-To"] == "joerg@example.com"
    assert found.get_content().strip() == "Grüße"


def test_a_mail_that_never_comes_is_an_error_and_not_an_empty_answer(mail_catcher: MailCatcher) -> None:
    """A test that waits in vain fails, with the count."""
    mail_catcher.forget()
    with pytest.raises(TimeoutError, match="0 of 1 mails"):
        mail_catcher.wait(seconds=0.1)
