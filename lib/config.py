"""Settings read from the environment and `.env`. All problems are reported in one message."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Final, TypeVar
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from lib.database_url import mysql_tls

# The code is public, so a value that contains these words is not a secret.
DEVELOPMENT_ONLY: Final = "for development only"


class ConfigError(Exception):
    """Invalid settings.

    The message names every variable that is wrong.
    """


class Environment(StrEnum):
    """The kind of deployment that the process runs in. Only `production` requires secrets."""

    DEVELOPMENT = "development"
    PRODUCTION = "production"


class LogFormat(StrEnum):
    """The format of log lines."""

    JSON = "json"
    CONSOLE = "console"


class Pooler(StrEnum):
    """The pooling mode of a connection pooler between a service and PostgreSQL, or `none`."""

    NONE = "none"
    TRANSACTION = "transaction"


class LogLevel(StrEnum):
    """The least severe level that is logged."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


def _split(value: Any) -> Any:
    """Split a comma-separated setting: `"a, b"` → `("a", "b")`."""
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


def _lower(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


def _postgres_url(value: SecretStr) -> SecretStr:
    if not value.get_secret_value().startswith(("postgresql://", "postgres://")):
        raise ValueError("must start with postgresql://")
    return value


def _database_url(value: SecretStr) -> SecretStr:
    scheme = urlsplit(value.get_secret_value()).scheme
    if scheme not in ("postgresql", "postgres", "mysql"):
        raise ValueError("must start with postgresql:// or mysql://")
    if scheme == "mysql":
        mysql_tls(value.get_secret_value())
    return value


def _mysql_url(value: SecretStr) -> SecretStr:
    if not value.get_secret_value().startswith(("mysql://", "mariadb://")):
        raise ValueError("must start with mysql://")
    mysql_tls(value.get_secret_value())
    return value


CommaSeparated = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]
SecretUrls = Annotated[tuple[SecretStr, ...], NoDecode, BeforeValidator(_split)]
DatabaseUrl = Annotated[SecretStr, AfterValidator(_database_url)]
PostgresUrl = Annotated[SecretStr, AfterValidator(_postgres_url)]
MysqlUrl = Annotated[SecretStr, AfterValidator(_mysql_url)]
Port = Annotated[int, Field(ge=0, le=65535)]
Seconds = Annotated[float, Field(gt=0)]


class Settings(BaseSettings):
    """Settings of every service. A service adds its own fields under its own `env_prefix`.

    A `SecretStr` field may have a default for development, but production requires another value.
    Check a rule about several fields at the last of these fields (with `in_production` and
    `info.data`). Do not use a model validator, because a model validator runs only if every field
    is valid.
    """

    model_config = SettingsConfigDict(
        env_file=".env",
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
        validate_by_name=True,
        validate_by_alias=True,
        env_ignore_empty=True,
    )

    # In `production`, secrets are required and addresses are checked.
    environment: Annotated[Environment, BeforeValidator(_lower)] = Field(
        default=Environment.DEVELOPMENT, validation_alias="ENVIRONMENT"
    )
    # The address on which the process listens; 0.0.0.0 in containers.
    host: str = Field(default="127.0.0.1", validation_alias="HOST")
    # The least severe level that is logged.
    log_level: Annotated[LogLevel, BeforeValidator(_lower)] = Field(
        default=LogLevel.INFO, validation_alias="LOG_LEVEL"
    )
    # `json` writes one JSON object per line; `console` is easier to read in a terminal.
    log_format: Annotated[LogFormat, BeforeValidator(_lower)] = Field(
        default=LogFormat.JSON, validation_alias="LOG_FORMAT"
    )
    # The collector that receives traces, metrics and logs over OTLP/HTTP, such as
    # http://collector:4318.
    otlp_endpoint: str | None = Field(default=None, validation_alias="OTEL_EXPORTER_OTLP_ENDPOINT")
    # Origins of web pages that may call the API from a browser, such as https://shop.example.com.
    cors_origins: CommaSeparated = Field(default=(), validation_alias="CORS_ORIGINS")
    # If set, health checks and metrics are served only on this port, not on the service's port.
    internal_port: Port | None = Field(default=None, validation_alias="INTERNAL_PORT")
    # If set, `/debug` is served on this port of the loopback interface (see lib/profiling). 0
    # selects a free port.
    profiling_port: Port | None = Field(default=None, validation_alias="PROFILING_PORT")
    # A request that takes longer is cancelled and gets the status 504.
    request_seconds: Seconds = Field(default=10.0, validation_alias="REQUEST_SECONDS")
    # How long running requests may continue after SIGTERM.
    drain_seconds: Seconds = Field(default=30.0, validation_alias="DRAIN_SECONDS")
    # A larger request body is refused with the status 413.
    max_body_bytes: int = Field(default=1024 * 1024, gt=0, validation_alias="MAX_BODY_BYTES")

    @field_validator("*", mode="after")
    @classmethod
    def _no_known_secret_in_production(cls, value: object, info: ValidationInfo) -> object:
        if isinstance(value, SecretStr) and in_production(info) and info.field_name:
            default = cls.model_fields[info.field_name].default
            if value == default or DEVELOPMENT_ONLY in value.get_secret_value():
                raise ValueError("in production you must set this secret: it has no default")
        return value


def in_production(info: ValidationInfo) -> bool:
    """Return whether the settings being validated are for production."""
    return info.data.get("environment") is Environment.PRODUCTION


class DatabaseSettings(Settings):
    """Settings of a database on either engine: its URL, pool sizes and limits."""

    # A postgresql:// or mysql:// URL. The parameter `sslmode` or `ssl-mode` selects the TLS mode.
    database_url: DatabaseUrl
    # Number of database connections that are opened at the start.
    db_pool_min: int = Field(default=2, ge=0)
    # Maximum number of database connections.
    db_pool_max: int = Field(default=10, ge=1)
    # A connection older than this is replaced before its next use.
    db_lifetime_seconds: Seconds = 1800.0
    # Time limit for opening a connection.
    db_connect_seconds: Seconds = 5.0
    # How long a statement waits for a free connection.
    db_acquire_seconds: Seconds = 2.0
    # Time limit of a statement, including waits for locks. Behind a pooler, set this limit on the
    # database role.
    db_statement_seconds: Seconds = 5.0
    # `transaction` if the database URL is the address of PgBouncer, or a similar pooler, in
    # transaction mode.
    database_pooler: Annotated[Pooler, BeforeValidator(_lower)] = Field(
        default=Pooler.NONE, validation_alias="DATABASE_POOLER"
    )
    # Replicas for read-only queries: streaming standbys of PostgreSQL, or replicas of MariaDB
    # (docs/replicas.md).
    db_replica_urls: SecretUrls = ()
    # A replica that lags further behind gets no queries.
    db_replica_lag_seconds: Seconds = 5.0
    # How long a request waits for a replica that has not replayed the client's own writes. After
    # that, the primary executes the query.
    db_replica_wait_seconds: Seconds = 0.05
    # Time limit for the response of a replica. After that, the primary executes the query.
    db_replica_seconds: Seconds = 1.0
    # Signs the log positions of writes, which clients send back to read their own writes. It must
    # be the same in all instances of the service.
    db_replica_secret: SecretStr | None = None

    @field_validator("db_replica_urls")
    @classmethod
    def _are_of_the_same_engine(
        cls, value: tuple[SecretStr, ...], info: ValidationInfo
    ) -> tuple[SecretStr, ...]:
        primary = info.data.get("database_url")
        if primary is None:
            return value
        on_mysql = primary.get_secret_value().startswith(("mysql", "mariadb"))
        return tuple(map(_mysql_url if on_mysql else _postgres_url, value))

    @field_validator("db_replica_secret")
    @classmethod
    def _signs_in_production(
        cls, value: SecretStr | None, info: ValidationInfo
    ) -> SecretStr | None:
        if value is None and in_production(info) and info.data.get("db_replica_urls"):
            raise ValueError("in production you must set this secret: it has no default")
        return value


class PostgresSettings(DatabaseSettings):
    """Settings of a PostgreSQL database."""

    # postgresql://user:password@host/name; the parameter `sslmode` selects the TLS mode.
    database_url: PostgresUrl


class MysqlSettings(DatabaseSettings):
    """Settings of a MySQL or MariaDB database."""

    database_url: MysqlUrl


S = TypeVar("S", bound=Settings)


def load(spec: type[S]) -> S:
    """Return settings of the class `spec`, read from the environment and `.env`.

    Raises:
        ConfigError: with one line for each variable that is missing or wrong. The message does not
            contain the values.
    """
    try:
        return spec()
    except ValidationError as error:
        lines = [f"  {_variable(spec, e['loc'])}: {_reason(dict(e))}" for e in error.errors()]
        raise ConfigError("the configuration is not valid:\n" + "\n".join(lines)) from None


def env_name(spec: type[Settings], field: str) -> str:
    """Return the environment variable that sets `field`."""
    alias = spec.model_fields[field].validation_alias
    if isinstance(alias, str):
        return alias
    return f"{spec.model_config.get('env_prefix', '')}{field}".upper()


def _variable(spec: type[Settings], location: tuple[int | str, ...]) -> str:
    if not location:
        return "environment"
    head = str(location[0])
    return env_name(spec, head) if head in spec.model_fields else head.upper()


def _reason(error: dict[str, Any]) -> str:
    if error["type"] == "missing":
        return "is not set"
    return str(error["msg"]).removeprefix("Value error, ")
