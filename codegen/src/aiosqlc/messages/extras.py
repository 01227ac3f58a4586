"""Which extra brings a module that the bare package does not install."""

from __future__ import annotations

_EXTRAS = {
    "psycopg": "postgres",
    "pymysql": "mysql",
    "sqlglot": "mysql",
    "pygls": "lsp",
    "lsprotocol": "lsp",
    "google": "plugin",
}
_DISTRIBUTIONS = {"google": "protobuf"}  # where it is not called as the module is


def not_installed(error: ModuleNotFoundError) -> str | None:
    """Return a sentence with the command that installs what is missing, None if it is ours."""
    module = (error.name or "").partition(".")[0]
    extra = _EXTRAS.get(module)
    if extra is None:
        return None
    return f"{_DISTRIBUTIONS.get(module, module)} is not installed: pip install 'aiosqlc[{extra}]'"
