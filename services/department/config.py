"""Settings of the department service, read from the environment."""

from __future__ import annotations

from pydantic_settings import SettingsConfigDict

from lib.config import DatabaseSettings, Port
from lib.events.signing import ProducerSettings
from lib.http.middleware.install import MiddlewareSettings


class DepartmentConfig(DatabaseSettings, MiddlewareSettings, ProducerSettings):
    """Settings. `DEPARTMENT_DATABASE_URL` is the only setting without a default."""

    model_config = SettingsConfigDict(env_prefix="DEPARTMENT_")

    # The port of the HTTP API.
    port: Port = 8083
