"""Find the package's extra, such as `aiosqlc[mysql]`, that installs a missing module."""

from __future__ import annotations

_EXTRAS = {
    "psycopg": "postgres",
    "pymysql": "mysql",
    "sqlglot": "mysql",
    "pygls": "lsp",
    "lsprotocol": "lsp",
    "google": "plugin",
    "mcp": "mcp",
    "mcp_types": "mcp",
    "asyncpg": "mcp",
    "aiomysql": "mcp",
}
_DISTRIBUTIONS = {"google": "protobuf"}  # packages whose name differs from their module's


def not_installed(error: ModuleNotFoundError) -> str | None:
    """Return a message with the command that installs a module, or None if no extra does."""
    module = (error.name or "").partition(".")[0]
    extra = _EXTRAS.get(module)
    if extra is None:
        return None
    return f"{_DISTRIBUTIONS.get(module, module)} is not installed: pip install 'aiosqlc[{extra}]'"
