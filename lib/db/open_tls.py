"""A warning in the log about a remote database without verified TLS."""

from __future__ import annotations

from lib.config import DatabaseSettings, Environment
from lib.database_url import leaves_tls_open
from lib.log import get_logger

log = get_logger(__name__)


def warn_of_open_tls(settings: DatabaseSettings) -> None:
    """Warn in production if a remote server's URL neither verifies the server nor disables TLS.

    The connection is not refused: a database in a private network may intentionally have no TLS,
    and must stay reachable.
    """
    missing = leaves_tls_open(settings.database_url.get_secret_value())
    if missing and settings.environment is Environment.PRODUCTION:
        log.warning("database_not_verified", missing_parameter=missing)
