"""Settings of every process, from the environment or one TOML file, checked at start (J3).

A setting `keycloak.url` is the variable `FSM_KEYCLOAK__URL`, or `url` in the table `[keycloak]` of the file
that `FSM_SETTINGS` names (on a development stack: `settings.toml` in `FSM_DEV_HOME`). A secret may stand in a file
of its own: `FSM_SECRETS_DIR` names the folder, the file is called like the variable. The environment wins over
secret files, they win over the settings file. docs/settings.md is compared with what is here. The example of each
setting is what its error tells to write.
"""

from __future__ import annotations

import os
import re
import tomllib
from base64 import urlsafe_b64decode
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Final, Self, TypeVar
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    HttpUrl,
    SecretStr,
    StringConstraints,
    ValidationError,
    ValidationInfo,
    create_model,
    model_validator,
)
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails, PydanticCustomError
from pydantic_settings import (
    BaseSettings,
    NestedSecretsSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)
from pydantic_settings import SettingsError as SourceError

KEYCLOAK_VERSION = "26.7.3"
"""The Keycloak that is tested; compose.yaml and the development stack use the same."""

Some = TypeVar("Some", bound=BaseSettings)
PROCESSES: Final[Mapping[str, tuple[str, ...]]] = {
    "command-line": (),
    "worker": ("worker_secret",),
    "bulk-worker": ("worker_secret", "import_secret"),
    "beat": (),
    "web": ("console_secret",),
    "realm": ("configure_secret",),
}
"""What is started, and the secrets of Keycloak's clients that it needs (rule: least-rights)."""

BESIDE: Final = (
    "FSM_SETTINGS",
    "FSM_SECRETS_DIR",
    "FSM_BOOTSTRAP_ADMIN_USERNAME",
    "FSM_BOOTSTRAP_ADMIN_PASSWORD",
    "FSM_DEV_HOME",
)
"""Variables of ours that are no settings."""

KEY_BYTES: Final = 32
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class SettingsError(Exception):
    """Settings are missing or wrong; `problems` names each with what to write, a line each, no secret in it."""

    def __init__(self, *problems: str) -> None:
        between = " " if len(problems) == 1 else "\n  "
        super().__init__(between.join(["settings are not complete:", *problems]))
        self.problems = problems


def _redis(url: SecretStr) -> SecretStr:
    """Found wrong only when a change is stored and the workers are to be told, it would be too late."""
    try:
        parts = urlsplit(url.get_secret_value())
        right = parts.scheme in {"redis", "rediss"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        right = False
    if not right:
        raise PydanticCustomError("redis_url", "not the address of a Redis (redis://:password@host:6379/0)")
    return url


def _database(url: SecretStr) -> SecretStr:
    backend, found, rest = url.get_secret_value().partition("://")
    backend = backend.partition("+")[0]
    if not found:
        raise PydanticCustomError("database_url", "not a database URL (sqlite:///file or postgresql://…)")
    if backend not in {"sqlite", "postgresql"}:
        raise PydanticCustomError("database_url", "this database is not supported; use SQLite or PostgreSQL")
    if backend == "sqlite" and rest.strip("/") in {"", ":memory:"}:
        raise PydanticCustomError("database_url", "SQLite needs a file; several processes share it")
    return url


def _field_service(url: SecretStr) -> SecretStr:
    """Of a database, or of the contract of docs/field-service.md over HTTP."""
    if not over_http(url):
        return _database(url)
    try:
        parts = urlsplit(url.get_secret_value())
        right = bool(parts.hostname) and parts.port != 0
    except ValueError:
        right = False
    if not right or any(part.isspace() for part in url.get_secret_value()):
        raise PydanticCustomError("field_service_url", "not an address (https://fsm.example.com/identity)")
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise PydanticCustomError(
            "field_service_url",
            "an address without a login, a query or a fragment; the token is a setting of its own",
        )
    if parts.scheme.lower() == "http" and not on_this_machine(parts.hostname or ""):
        raise PydanticCustomError(
            "field_service_url", "the token and people's work would cross the network for all to read; use https"
        )
    return url


def over_http(url: SecretStr) -> bool:
    """Whether the FSM system is asked over HTTP, and not in its database."""
    return url.get_secret_value().lower().startswith(("http://", "https://"))


def _field_service_token(token: SecretStr | None, so_far: ValidationInfo) -> SecretStr | None:
    """A header takes no other signs, and its error would show them."""
    url = so_far.data.get("field_service_url")
    if token is None:
        if url is not None and over_http(url):
            raise PydanticCustomError("field_service_token", "is missing, and needed for an FSM system over HTTP")
        return None
    if not re.fullmatch(r"[!-~]+", token.get_secret_value()):
        raise PydanticCustomError(
            "field_service_token", "letters, digits and signs of ASCII alone, without blanks"
        )
    return token


def _keys(keys: SecretStr) -> SecretStr:
    """A key that turns out wrong when the first password is sealed would leave half a change behind."""
    ring = _parts(keys)
    if not ring:
        raise PydanticCustomError("secret_keys", "at least one key is needed; fsm-identity settings key makes one")
    for place, key in enumerate(ring, start=1):
        try:
            right = len(urlsafe_b64decode(key)) == KEY_BYTES
        except ValueError:
            right = False
        if not right:
            raise PydanticCustomError(
                "secret_keys",
                "key {place} is not a Fernet key (32 bytes, url-safe base64); fsm-identity settings key makes one",
                {"place": place},
            )
    return keys


def _parts(keys: SecretStr) -> list[str]:
    return [key.strip() for key in keys.get_secret_value().split(",") if key.strip()]


DatabaseUrl = Annotated[SecretStr, AfterValidator(_database)]
A_SECRET = "Y2hhbmdlLW1lLXBsZWFzZQ"  # noqa: S105 - an example


class KeycloakSettings(BaseModel):
    """`url` is the address under which we reach Keycloak, `public_url` the one browsers use (None: the same);
    tokens name the second as their issuer. `timeout_seconds` bounds each request; it must fit twice
    into the lease of a claim, with what clocks differ by. A full comparison reads from `listings_at_once` places
    side by side and waits `listing_pause_seconds` after each page, so that it leaves Keycloak to the people who
    log in.

    Each secret belongs to one service client (rule: least-rights); a process gets only those it needs:
    workers `worker_secret` and `import_secret`, the web process `console_secret`, the command line for the
    realm `configure_secret`. `needed` names the one that is missing.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: HttpUrl = Field(examples=["https://keycloak.example.com:8443"])
    public_url: HttpUrl | None = Field(default=None, examples=["https://login.example.com"])
    realm: Text = Field(default="fsm", examples=["fsm"])
    timeout_seconds: float = Field(default=10.0, gt=0, le=25, examples=["10"])
    listings_at_once: int = Field(default=2, ge=1, le=6, examples=["2"])
    listing_pause_seconds: float = Field(default=0.0, ge=0, le=10, examples=["0.2"])
    worker_secret: SecretStr | None = Field(default=None, examples=[A_SECRET])
    import_secret: SecretStr | None = Field(default=None, examples=[A_SECRET])
    configure_secret: SecretStr | None = Field(default=None, examples=[A_SECRET])
    console_secret: SecretStr | None = Field(default=None, examples=[A_SECRET])

    @property
    def realm_url(self) -> str:
        """The realm's address for requests of ours."""
        return f"{str(self.url).rstrip('/')}/realms/{self.realm}"

    @property
    def issuer(self) -> str:
        """The realm's name in its tokens (`iss`), and its address for browsers."""
        return f"{str(self.public_url or self.url).rstrip('/')}/realms/{self.realm}"

    def needed(self, name: str) -> str:
        """The value of one of the secrets. Raises SettingsError, naming the variable, if it is not set."""
        secret: SecretStr | None = getattr(self, name)
        if secret is None:
            raise SettingsError(
                f"FSM_KEYCLOAK__{name.upper()}: is missing, and needed for this, {_such_as(A_SECRET)}"
            )
        return secret.get_secret_value()


def on_this_machine(host: str) -> bool:
    """Whether what is sent to the host stays on this machine."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


class MailSettings(BaseModel):
    """`login_url` is the address the welcome mail sends people to. `templates_folder` has a company's own mails;
    None: ours. `bounce_secret` is what a mail server must carry to say that mails came back; None: there is no
    such webhook."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: Text = Field(default="127.0.0.1", examples=["smtp.example.com"])
    port: int = Field(default=25, ge=1, le=65535, examples=["587"])
    username: str | None = Field(default=None, examples=["fsm-identity"])
    password: SecretStr | None = Field(default=None, examples=[A_SECRET])
    starttls: bool = Field(default=False, examples=["true"])
    sender: Text = Field(default="fsm-identity@example.com", examples=["accounts@example.com"])
    login_url: HttpUrl = Field(examples=["https://app.example.com"])
    templates_folder: Path | None = Field(default=None, examples=["/etc/fsm-identity/mails"])
    bounce_secret: SecretStr | None = Field(default=None, min_length=20, examples=[A_SECRET])

    @model_validator(mode="after")
    def _login_is_encrypted(self) -> Self:
        """Without STARTTLS the password, and those in the mails, would cross the network for all to read."""
        if self.username and self.password and not self.starttls and not on_this_machine(self.host):
            raise PydanticCustomError(
                "mail_login", "a login without encryption: set FSM_MAIL__STARTTLS=true, or leave out the username"
            )
        return self


class AuditSettings(BaseModel):
    """Where workers keep the head of the audit chain, so that nobody cuts off or rewrites its end unseen:
    `anchor_file` gets a line each time, best on storage that only takes additions; `anchor_url` gets the same line
    by POST. The secret, if set, is sent as a bearer token."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    anchor_file: Path | None = Field(default=None, examples=["/srv/audit-anchor/heads.jsonl"])
    anchor_url: HttpUrl | None = Field(default=None, examples=["https://ledger.example.com/fsm-identity"])
    anchor_secret: SecretStr | None = Field(default=None, examples=[A_SECRET])


class Settings(BaseSettings):
    """Everything a process needs to start. The URLs are SQLAlchemy and Redis URLs and may hold a password.

    `secret_keys` are Fernet keys, the newest first, comma separated; they seal
    passwords that wait to be delivered. An http(s) address as `field_service_url` chooses the contract of
    docs/field-service.md, which needs `field_service_token`; `field_service_timeout_seconds` bounds each of its
    requests. `metrics_token` is what Prometheus must carry to read /metrics; None: only
    this machine may.
    """

    model_config = SettingsConfigDict(env_prefix="FSM_", env_nested_delimiter="__", extra="forbid", frozen=True)

    database_url: DatabaseUrl = Field(
        examples=["postgresql+psycopg://fsm:PASSWORD@db.example.com:5432/fsm_identity"]
    )
    redis_url: Annotated[SecretStr, AfterValidator(_redis)] = Field(
        examples=["redis://:PASSWORD@redis.example.com:6379/0"]
    )
    field_service_url: Annotated[SecretStr, AfterValidator(_field_service)] = Field(
        examples=["postgresql+psycopg://fsm:PASSWORD@fsm-db.example.com:5432/fsm"]
    )
    field_service_token: Annotated[SecretStr | None, AfterValidator(_field_service_token)] = Field(
        default=None, validate_default=True, examples=[A_SECRET]
    )
    field_service_timeout_seconds: float = Field(default=10.0, gt=0, le=25, examples=["10"])
    secret_keys: Annotated[SecretStr, AfterValidator(_keys)] = Field(
        examples=["Zm9yLWV4YW1wbGUtb25seS0tLW1ha2UteW91ci1vd24="]
    )
    mappings_folder: Path | None = Field(default=None, examples=["/etc/fsm-identity/mappings"])
    public_url: HttpUrl = Field(
        default=HttpUrl("http://127.0.0.1:8000"), examples=["https://accounts.example.com"]
    )
    metrics_token: SecretStr | None = Field(default=None, examples=[A_SECRET])
    keycloak: KeycloakSettings
    mail: MailSettings
    audit: AuditSettings = Field(default_factory=AuditSettings)

    @property
    def keys(self) -> list[str]:
        """The secret keys one by one, the newest first."""
        return _parts(self.secret_keys)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the signature is pydantic's
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        sources: list[PydanticBaseSettingsSource] = [init_settings, env_settings]
        if os.environ.get("FSM_SECRETS_DIR"):
            sources.append(
                NestedSecretsSettingsSource(
                    file_secret_settings,
                    secrets_dir=os.environ["FSM_SECRETS_DIR"],
                    env_prefix="FSM_",
                    secrets_nested_delimiter="__",
                )
            )
        if named := settings_file():
            sources.append(TomlConfigSettingsSource(settings_cls, Path(named)))
        return tuple(sources)


def settings_file() -> str:
    """The TOML file with settings, empty for none: what FSM_SETTINGS names, or that of the development stack whose
    folder FSM_DEV_HOME names."""
    home = os.environ.get("FSM_DEV_HOME")
    return os.environ.get("FSM_SETTINGS") or (str(Path(home) / "settings.toml") if home else "")


def load_settings(**overrides: object) -> Settings:
    """Read and check all settings. Raises SettingsError with one line a setting, never a secret's value."""
    return checked(Settings, **overrides)


def checked(kind: type[Some], **overrides: object) -> Some:
    """The settings of a class, from wherever `Settings` takes them. Raises SettingsError like `load_settings`."""
    named = settings_file()
    if named and not Path(named).is_file():
        if os.environ.get("FSM_SETTINGS"):
            raise SettingsError(f"FSM_SETTINGS names {named}, which is not a file")
        raise SettingsError(f"FSM_DEV_HOME names no stack, there is no {named}; start one: fsm-identity dev up")
    try:
        return kind(**overrides)  # type: ignore[arg-type]
    except ValidationError as error:
        known = dict(every_setting(kind))
        lines = [line for problem in error.errors() for line in _told(problem["type"], problem, known)]
        raise SettingsError(*dict.fromkeys(lines)) from None
    except SourceError as error:
        raise SettingsError(f"they cannot be read: {error}") from None
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{named}: is not TOML: {error}") from None
    except UnicodeDecodeError as error:
        raise SettingsError(f"{named}: is not UTF-8: {error.reason} at byte {error.start}") from None
    except OSError as error:
        raise SettingsError(f"{named}: cannot be read: {error.strerror}") from None


def needing(secrets: Iterable[str]) -> type[Settings]:
    """The settings of a process that does not start without these secrets of Keycloak's clients."""
    fields: dict[str, Any] = {name: (SecretStr, Field(examples=[A_SECRET])) for name in secrets}
    keycloak = create_model("KeycloakSettings", __base__=KeycloakSettings, **fields)
    return create_model("Settings", __base__=Settings, keycloak=(keycloak, ...))


def every_setting(kind: type[BaseModel], prefix: str = "FSM_") -> Iterator[tuple[str, FieldInfo]]:
    """Each setting by its variable, in the order of the classes."""
    for name, each in kind.model_fields.items():
        if isinstance(each.annotation, type) and issubclass(each.annotation, BaseModel):
            yield from every_setting(each.annotation, f"{prefix}{name.upper()}__")
        else:
            yield f"{prefix}{name.upper()}", each


def no_setting(variable: str, known: Iterable[str]) -> str:
    """The line for a variable that is none of ours, with the nearest one that is."""
    near = get_close_matches(variable, list(known), n=1)
    return f"{variable}: is no setting" + (f"; did you mean {near[0]}?" if near else "")


def _told(kind: str, problem: ErrorDetails, known: Mapping[str, FieldInfo]) -> list[str]:
    """A missing table is told by what it has to have."""
    variable = "FSM_" + "__".join(str(part) for part in problem["loc"]).upper()
    if kind == "missing":
        inside = [name for name, each in known.items() if name.startswith(f"{variable}__") and each.is_required()]
        return [f"{name}: is missing, {_such_as(_example(known[name]))}" for name in inside or [variable]]
    if kind == "extra_forbidden":
        return [no_setting(variable, known)]
    right = f", {_such_as(_example(known[variable]))}" if variable in known else ""
    return [f"{variable}: {problem['msg']}{right}"]


def _example(setting: FieldInfo) -> str:
    return str((setting.examples or [""])[0])


def _such_as(example: str) -> str:
    return f"such as {example}"
