"""Refuse schema statements that would change a shared server outside the compiler's database."""

from __future__ import annotations

from collections.abc import Sequence

from aiosqlc.mysql.executable import as_read, kin_of
from aiosqlc.parse.scanner import Kind, Token, code_tokens, unquote
from aiosqlc.servers.mysql.session import Session
from aiosqlc.source import Dialect

_VERBS = frozenset({"CREATE", "DROP", "ALTER", "RENAME", "TRUNCATE"})
_WHOLE_SERVER = frozenset(
    {"DATABASE", "SCHEMA", "USER", "ROLE", "SERVER", "LOGFILE", "TABLESPACE", "INSTANCE"}
)
_ADMINISTERS = frozenset(
    {
        "USE", "GRANT", "REVOKE", "SHUTDOWN", "RESET", "PURGE", "FLUSH", "KILL", "INSTALL",
        "UNINSTALL", "CHANGE", "START", "STOP", "CLONE", "RESTART", "BACKUP",
    }
)  # fmt: skip
_HARMLESS = frozenset({("START", "TRANSACTION")})
_BEFORE_TARGET = frozenset(
    {
        "TABLE", "TABLES", "VIEW", "EXISTS", "INTO", "UPDATE", "TRIGGER", "PROCEDURE", "FUNCTION",
        "EVENT", "SEQUENCE", "TO", "TRUNCATE", "IGNORE", "INSERT", "REPLACE", "CALL", "LIKE",
    }
)  # fmt: skip
_LISTS = frozenset({"DROP", "RENAME", "DELETE", "UPDATE"})


def reaches_out(session: Session, sql: str, ours: str) -> str:
    """Describe what a statement changes outside of the compiler's database, or return ''."""
    read = as_read(sql, kin_of(session.version))
    tokens = code_tokens(read, Dialect.MYSQL)
    words = [token.text.upper() if token.kind is Kind.NAME else token.text for token in tokens]
    verb = words[0] if words else ""
    if verb in _ADMINISTERS and tuple(words[:2]) not in _HARMLESS:
        return verb
    if verb == "SET" and {"GLOBAL", "PERSIST", "PASSWORD", "ROLE"} & set(words[1:3]):
        return " ".join(words[:2])
    if verb == "SET" and any(word.startswith(("@@GLOBAL", "@@PERSIST")) for word in words):
        return "SET GLOBAL"
    if verb in _VERBS:
        target = next((word for word in words[1:6] if word in _WHOLE_SERVER), "")
        before = words[1 : words.index(target)] if target else []
        if target and not {"TABLE", "VIEW", "INDEX", "TRIGGER", "("} & set(before):
            return f"{verb} {target}"
    return _foreign_target(session, tokens, words, ours)


def _foreign_target(
    session: Session, tokens: Sequence[Token], words: Sequence[str], ours: str
) -> str:
    """Return, in backticks, the name of another database that a statement changes, or ''."""
    before = _BEFORE_TARGET | ({",", "FROM"} if words[0] in _LISTS else set())
    before |= {"ON"} if words[0] in {"CREATE", "DROP"} and "SELECT" not in words else set()
    named = {
        unquote(tokens[position]).lower()
        for position in range(1, len(tokens) - 2)
        if words[position + 1] == "."
        and words[position - 1] in before
        and tokens[position].kind in {Kind.NAME, Kind.QUOTED}
    }
    if not named:
        return ""
    there = {row[0].lower(): row[0] for row in session.rows("SHOW DATABASES") if row[0] != ours}
    return next((f"`{there[name]}`" for name in sorted(named) if name in there), "")
