"""The public URL of the platform, from which links and addresses are derived."""

from __future__ import annotations

from typing import Annotated, Final
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, ValidationInfo

from lib.config import Settings, in_production

# The local stack's, and how the default of every setting that follows begins.
LOCAL_GATEWAY: Final = "http://127.0.0.1:8080"


def _origin(value: str) -> str:
    address = urlsplit(value)
    if address.scheme not in ("http", "https") or not address.hostname:
        raise ValueError("must be an http:// or https:// URL")
    if address.query or address.fragment:
        raise ValueError("must not contain ? or #")
    return value.rstrip("/")


class PublicSettings(Settings):
    """`PUBLIC_URL`, such as https://shop.example.com: the gateway's URL for clients."""

    # The URL at which clients reach the gateway, such as https://shop.example.com.
    public_url: Annotated[str, AfterValidator(_origin)] | None = Field(
        default=None, validation_alias="PUBLIC_URL"
    )


def below_public_url(value: str, info: ValidationInfo, *, default: str) -> str:
    """Return `value`, or if `value` is `default`, the URL of the same path below `PUBLIC_URL`.

    Raises ValueError in production if neither variable is set, because clients cannot reach the
    default address.
    """
    if value != default:
        return value
    public_url = info.data.get("public_url")
    if public_url:
        return f"{public_url}{value.removeprefix(LOCAL_GATEWAY)}"
    if in_production(info):
        raise ValueError("in production set PUBLIC_URL or this setting")
    return value
