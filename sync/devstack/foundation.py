"""The parts that are not ours: Keycloak, Redis, the mail catcher and, if wanted, PostgreSQL."""

from __future__ import annotations

import smtplib
from dataclasses import replace
from functools import partial

from sync.devstack.part import Part, Say
from sync.devstack.ports import LOOPBACK, listens
from sync.devstack.process import Launch
from sync.devstack.services import keycloak_server, postgres
from sync.devstack.services.keycloak_archive import prepared
from sync.devstack.services.mail_catcher import MailPage, mail_catcher_launch
from sync.devstack.services.redis_server import redis_answers, redis_launch
from sync.devstack.surroundings import OPERATOR, POSTGRES_DATABASE, Surroundings


def _prepare_keycloak(place: Surroundings, say: Say) -> None:
    keycloak_server.thin_home(prepared(say), place.layout.keycloak)


def _launch_keycloak(place: Surroundings, *, long_lived: bool = False) -> Launch:
    return keycloak_server.keycloak_launch(
        place.layout.keycloak,
        place.ports["keycloak"],
        place.ports["keycloak-management"],
        place.credentials.keycloak_admin,
        place.layout.log("keycloak"),
        long_lived=long_lived,
    )


def _launch_redis(place: Surroundings) -> Launch:
    return redis_launch(
        place.layout.redis, place.ports["redis"], place.credentials.redis, place.layout.log("redis")
    )


def _launch_mail(place: Surroundings) -> Launch:
    page = MailPage(place.ports["mail-page"], f"{OPERATOR}:{place.credentials.mail_page}")
    return mail_catcher_launch(place.layout.mail, place.ports["mail"], place.layout.log("mail"), page)


def _mail_answers(place: Surroundings) -> bool:
    try:
        with smtplib.SMTP(LOOPBACK, place.ports["mail"], timeout=5) as client:
            return client.noop()[0] == 250 and listens(place.ports["mail-page"])
    except OSError:
        return False


def _prepare_postgres(place: Surroundings, say: Say) -> None:
    del say
    postgres.prepare(postgres.cluster_for(place.layout.postgres), place.credentials.postgres)


def _launch_postgres(place: Surroundings) -> Launch:
    cluster = postgres.cluster_for(place.layout.postgres)
    return postgres.postgres_launch(cluster, place.ports["postgres"], place.layout.log("postgres"))


def _create_database(place: Surroundings) -> None:
    postgres.create_database(place.ports["postgres"], place.credentials.postgres, POSTGRES_DATABASE)


KEYCLOAK = Part(
    name="keycloak",
    ports=("keycloak", "keycloak-management"),
    prepare=_prepare_keycloak,
    launch=_launch_keycloak,
    healthy=lambda place: keycloak_server.keycloak_ready(place.ports["keycloak-management"]),
    address=lambda place: f"{place.keycloak_url}/admin",
    login=lambda place: f"{keycloak_server.ADMIN} / {place.credentials.keycloak_admin}",
    seconds=240.0,
)
LONG_LIVED_KEYCLOAK = replace(KEYCLOAK, launch=partial(_launch_keycloak, long_lived=True))
"""For who measures: a server of production lives long enough to be compiled thoroughly."""
REDIS = Part(
    name="redis",
    ports=("redis",),
    launch=_launch_redis,
    healthy=lambda place: redis_answers(place.redis_url),
    address=lambda place: f"{LOOPBACK}:{place.ports['redis']}",
)
MAIL = Part(
    name="mail",
    ports=("mail", "mail-page"),
    launch=_launch_mail,
    healthy=_mail_answers,
    address=lambda place: place.mail_url,
    login=lambda place: f"{OPERATOR} / {place.credentials.mail_page}",
)
POSTGRES = Part(
    name="postgres",
    ports=("postgres",),
    prepare=_prepare_postgres,
    launch=_launch_postgres,
    healthy=lambda place: postgres.postgres_answers(place.ports["postgres"], place.credentials.postgres),
    once_healthy=_create_database,
    address=lambda place: f"{LOOPBACK}:{place.ports['postgres']}/{POSTGRES_DATABASE}",
)
