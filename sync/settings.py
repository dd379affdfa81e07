"""Settings of every process, from the environment or one TOML file, checked at start (J3).

A setting `keycloak.url` is the variable `FSM_KEYCLOAK__URL`, or `url` in the table `[keycloak]` of the file
that `FSM_SETTINGS` names (on a development stack: `settings.toml` in `FSM_DEV_HOME`). A secret may stand in a file
of its own: `FSM_SECRETS_DIR` names the folder, the file is called like the variable. The environment wins over
secret files, they win over the settings file.
"""

from __future__ import annotations

import os
import tomllib
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Self, TypeVar
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
    model_validator,
)
from pydantic_core import PydanticCustomError
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
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class SettingsError(Exception):
    """A setting is missing or wrong; the message names each with what to write."""


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

    url: HttpUrl
    public_url: HttpUrl | None = None
    realm: Text = "fsm"
    timeout_seconds: Annotated[float, Field(gt=0, le=25)] = 10.0
    listings_at_once: Annotated[int, Field(ge=1, le=6)] = 2
    listing_pause_seconds: Annotated[float, Field(ge=0, le=10)] = 0.0
    worker_secret: SecretStr | None = None
    import_secret: SecretStr | None = None
    configure_secret: SecretStr | None = None
    console_secret: SecretStr | None = None

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
            raise SettingsError(f"FSM_KEYCLOAK__{name.upper()}: needed for this command and not set")
        return secret.get_secret_value()


def on_this_machine(host: str) -> bool:
    """Whether what is sent to the host stays on this machine."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


class MailSettings(BaseModel):
    """`login_url` is the address the welcome mail sends people to."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: Text = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65535)] = 25
    username: str | None = None
    password: SecretStr | None = None
    starttls: bool = False
    sender: Text = "fsm-identity@example.com"
    login_url: HttpUrl

    @model_validator(mode="after")
    def _login_is_encrypted(self) -> Self:
        """Without STARTTLS the password, and those in the mails, would cross the network for all to read."""
        if self.username and self.password and not self.starttls and not on_this_machine(self.host):
            raise PydanticCustomError(
                "mail_login", "a login without encryption: set FSM_MAIL__STARTTLS=true, or leave out the username"
            )
        return self


class Settings(BaseSettings):
    """Everything a process needs to start. The URLs are SQLAlchemy and Redis URLs and may hold a password.

    `secret_keys` are Fernet keys, the newest first, comma separated; they seal
    passwords that wait to be delivered. `metrics_token` is what Prometheus must carry to read /metrics; None: only
    this machine may.
    """

    model_config = SettingsConfigDict(env_prefix="FSM_", env_nested_delimiter="__", extra="forbid", frozen=True)

    database_url: SecretStr
    redis_url: Annotated[SecretStr, AfterValidator(_redis)]
    field_service_url: SecretStr
    secret_keys: SecretStr
    mappings_folder: Path | None = None
    public_url: HttpUrl = HttpUrl("http://127.0.0.1:8000")
    metrics_token: SecretStr | None = None
    keycloak: KeycloakSettings
    mail: MailSettings

    @property
    def keys(self) -> list[str]:
        """The secret keys one by one, the newest first."""
        return [key.strip() for key in self.secret_keys.get_secret_value().split(",") if key.strip()]

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
        lines = [f"{_variable(problem['loc'])}: {problem['msg']}" for problem in error.errors()]
        raise SettingsError("settings are not complete:\n  " + "\n  ".join(lines)) from None
    except SourceError as error:
        raise SettingsError(f"settings cannot be read: {error}") from None
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{named}: is not TOML: {error}") from None
    except UnicodeDecodeError as error:
        raise SettingsError(f"{named}: is not UTF-8: {error.reason} at byte {error.start}") from None
    except OSError as error:
        raise SettingsError(f"{named}: cannot be read: {error.strerror}") from None


def _variable(location: tuple[int | str, ...]) -> str:
    return "FSM_" + "__".join(str(part) for part in location).upper()
