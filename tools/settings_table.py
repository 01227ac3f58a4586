"""The table of settings that operators may change, for Compose, Kubernetes and ECS.

The settings come from the classes of the services. An empty variable counts as not set, so each
variable is passed on whether or not it is set. The table omits the variables that a deployment sets
itself (addresses, ports, the image's own variables) and the secrets.
"""

from __future__ import annotations

from typing import Final

import msgspec

from devstack.settings import PORTS, service_names
from lib.config import env_name
from tools.settings_page import is_secret, spec_of

# The image's, or of a process on a developer's machine.
IMAGE: Final = frozenset(
    {"HOST", "INTERNAL_PORT", "ENVIRONMENT", "PROFILING_PORT", "MAIL_FOLDER", "FILES_FOLDER"}
)
# Where a service finds the others and callers find the platform: the templates write them.
PLACES: Final = frozenset(
    {
        "PUBLIC_URL", "TRUSTED_PROXIES", "AUTH_JWKS_URL", "AUTH_TOKEN_URL", "AUTH_CLIENT_ID",
        "EVENTS_URL", *PORTS, *(f"{name.upper()}_URL" for name in service_names()),
        *(f"{name.upper()}_GRPC_ADDRESS" for name in service_names()),
    }
)  # fmt: skip
# Every deployment has them, each kept among the secrets.
KEPT: Final = frozenset(
    {
        "REDIS_URL", "AUTH_CSRF_SECRET", "AUTH_CLIENT_SECRET", "EVENTS_SIGNING_KEY",
        "EVENTS_PUBLIC_KEYS", "USER_JWT_PRIVATE_KEYS", "USER_ENCRYPTION_KEYS",
        "USER_SERVICE_CLIENTS", *(f"{name.upper()}_DATABASE_URL" for name in service_names()),
    }
)  # fmt: skip
# Values that a deployment has unless an operator sets another.
COMPOSE: Final = {
    "SMTP_HOST": "mail", "SMTP_PORT": "1025", "SMTP_SECURITY": "none",
    "MAIL_FROM": "noreply@localhost.localdomain",
}  # fmt: skip
KUBERNETES: Final = {
    "LOG_FORMAT": "json", "SMTP_HOST": "smtp.marketplace.example",
    "MAIL_FROM": "noreply@marketplace.example", "S3_BUCKET": "marketplace-files",
    "S3_REGION": "us-east-1",
}  # fmt: skip
ECS: Final = {"S3_REGION": "${AWS_REGION}"}
# Kept among the secrets of Kubernetes and ECS; Compose takes them from the environment.
CLOUD_SECRETS: Final = ("SMTP_USER", "SMTP_PASSWORD")


class Setting(msgspec.Struct, frozen=True):
    """One environment variable, and the services that read it."""

    name: str
    services: tuple[str, ...]
    secret: bool

    @property
    def compose(self) -> str:
        """Return the setting's value in docker-compose.yml."""
        return f"${{{self.name}:-{COMPOSE.get(self.name, '')}}}"

    @property
    def kubernetes(self) -> str:
        """Return the value in the ConfigMap, which an overlay replaces."""
        return KUBERNETES.get(self.name, "")

    @property
    def ecs(self) -> str:
        """Return the value in an ECS task definition, which the rollout fills in."""
        return ECS.get(self.name, f"${{{self.name}}}")


def table() -> list[Setting]:
    """Return every setting once, in the order in which services declare them."""
    readers: dict[str, list[str]] = {}
    secret: dict[str, bool] = {}
    for service in service_names():
        spec = spec_of(service)
        for field, info in spec.model_fields.items():
            name = env_name(spec, field)
            if name not in IMAGE | PLACES | KEPT:
                readers.setdefault(name, []).append(service)
                hidden = is_secret(info) or name in CLOUD_SECRETS
                secret[name] = hidden or name.endswith("_REPLICA_URLS")
    return [Setting(name, tuple(found), secret[name]) for name, found in readers.items()]


def shared() -> list[Setting]:
    """Return the settings that several services read."""
    return [setting for setting in table() if len(setting.services) > 1]


def own(service: str) -> list[Setting]:
    """Return the settings that only this service reads."""
    return [setting for setting in table() if setting.services == (service,)]


def plain() -> list[Setting]:
    """Return the settings that are not secret."""
    return [setting for setting in table() if not setting.secret]


def ecs_names() -> str:
    """Return the names of the settings that the rollout on ECS fills in, one name a line."""
    filled = [setting.name for setting in plain() if setting.name not in ECS]
    return "".join(f"{name}\n" for name in filled)
