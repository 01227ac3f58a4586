"""Split a script in mysqltest's language into statements, as far as they are simple.

The parts of a script besides SQL are left out: its loops and conditions run once, and a statement
that needs the value of a query or a file is dropped. Any order of statements that the server
accepts can check a claim.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_WORD = re.compile(r"[A-Za-z_0-9]+")
_VARIABLE = re.compile(r"\$(\w+)")
_LET = re.compile(r"\$?(\w+)\s*=\s*(.*)", re.DOTALL)
_SENT = frozenset({"eval", "evalp", "query", "send", "send_eval"})
_STOPS = frozenset({"exit", "skip", "die"})
_FILES = frozenset({"perl", "write_file", "append_file"})
_COMMANDS = frozenset({
    "assert", "cat_file", "change_user", "character_set", "chmod", "copy_file",
    "copy_files_wildcard",
    "dec", "diff_files", "dirty_close", "echo", "enable_abort_on_error",
    "end_timer", "error", "exec", "exec_in_background", "execw", "file_exists", "force_cpdir",
    "force_rmdir", "horizontal_results", "inc", "list_files", "list_files_append_file",
    "list_files_write_file", "lowercase_result", "mkdir", "move_file", "optimizer_trace", "ping",
    "query_attributes", "query_get_value", "query_horizontal", "query_vertical", "real_sleep",
    "reap", "remove_file", "remove_files_wildcard", "replace_column", "replace_numeric_round",
    "replace_regex", "replace_result", "require", "reset_connection", "result", "result_format",
    "rmdir", "rpl", "save_master_pos", "send_quit", "send_shutdown", "shutdown_server", "sleep",
    "sorted_result", "source", "start_timer", "sync_slave_with_master", "sync_with_master",
    "system",
    "vertical_results", "wait_for_slave_to_stop",
})  # fmt: skip
_SWITCH = re.compile(r"(?:enable|disable)_\w+$")


@dataclass(frozen=True, slots=True)
class Step:
    """One step: a statement to run, or a connection to use; its `line` in the file.

    `opens` has the user and the database of a connection that this step opens.
    """

    line: int
    sql: str = ""
    connection: str = ""
    opens: tuple[str, str] | None = None


def steps(text: str) -> Iterator[Step | None]:
    """Yield the steps of a script in order, and None for each dropped statement."""
    reader = _Reader(text)
    parsing = True
    for line, word, rest in reader:
        if word in {"enable_parsing", "disable_parsing"}:
            parsing = word == "enable_parsing"
        elif not parsing or word in _COMMANDS or _SWITCH.match(word):
            continue
        elif word in _STOPS:
            return
        elif word == "let":
            reader.let(rest)
        elif word in {"connect", "connection", "disconnect"}:
            yield _connection(line, word, rest)
        elif word in _SENT:
            sql = reader.filled(rest)
            yield Step(line, sql) if sql else None
        elif word:
            yield Step(line, f"{word}{rest}")
        elif rest:
            yield Step(line, rest)


def _connection(line: int, word: str, rest: str) -> Step | None:
    if word == "disconnect":
        return None
    if word == "connection":
        return Step(line, connection=rest.strip())
    parts = [part.strip(" '\"") for part in rest.strip(" ()\n").split(",")]
    name, _, user, _, database, *_ = [*parts, "", "", "", "", ""]
    if "$" in rest:
        return None
    return Step(line, connection=name, opens=(user or "root", database or "test"))


class _Reader:
    """Yield the line, the first word and the rest of each command; SQL has its own word."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._delimiter = ";"
        self._known: dict[str, str] = {}

    def let(self, rest: str) -> None:
        """Store a variable whose value is in the script."""
        match = _LET.match(rest.strip())
        if match is None:
            return
        value = self.filled(match[2])
        self._known.pop(match[1], None)
        if value and not value.startswith("`") and "query_get_value" not in value:
            self._known[match[1]] = value

    def filled(self, text: str) -> str:
        """Return a text with the values of its variables, or nothing if one is unknown."""
        try:
            return _VARIABLE.sub(lambda match: self._known[match[1]], text).strip()
        except KeyError:
            return ""

    def __iter__(self) -> Iterator[tuple[int, str, str]]:
        text = self._text
        while True:
            while self._at < len(text) and (text[self._at].isspace() or text[self._at] in "{}"):
                self._at += 1
            if self._at >= len(text):
                return
            line = text.count("\n", 0, self._at) + 1
            if text.startswith(self._delimiter, self._at):
                self._at += len(self._delimiter)
                continue
            if text[self._at] == "#":
                self._line()
                continue
            if text.startswith("--", self._at):
                said = self._line()[2:].strip()
                match = _WORD.match(said)
                word = match[0].lower() if match else "echo"
                rest = said[len(word) :]
                rest = rest.strip().removesuffix(self._delimiter) if word != "delimiter" else rest
            else:
                match = _WORD.match(text, self._at)
                word = match[0] if match else ""
                if word.lower() in {"if", "while"}:
                    self._to("{", "\n")
                    continue
                said = self._statement()
                rest = said[len(word) :]
                plain = word.lower()
                known = plain in _COMMANDS | _SENT | _STOPS | _FILES
                if known or _SWITCH.match(plain) or plain in {
                    "let", "connect", "connection", "disconnect", "delimiter",
                }:  # fmt: skip
                    word = plain
            if word == "delimiter":
                new = rest.strip()
                old = self._delimiter
                self._delimiter = (new.removesuffix(old) if new != old else new).strip() or ";"
            elif word in _FILES:
                self._skip_file(rest)
            else:
                yield line, word, rest

    def _line(self) -> str:
        end = self._text.find("\n", self._at)
        end = len(self._text) if end < 0 else end
        said, self._at = self._text[self._at : end], end + 1
        return said

    def _to(self, *ends: str) -> None:
        found = [self._text.find(end, self._at) for end in ends]
        self._at = min([i for i in found if i >= 0], default=len(self._text) - 1) + 1

    def _skip_file(self, rest: str) -> None:
        end = rest.rsplit(maxsplit=1)[-1] if rest.split() else "EOF"
        end = end if end.isidentifier() else "EOF"
        match = re.compile(rf"^{re.escape(end)}\s*;?\s*$", re.MULTILINE).search(
            self._text, self._at
        )
        self._at = match.end() if match else len(self._text)

    def _statement(self) -> str:
        """Read up to the delimiter outside quotes."""
        start, quote, at = self._at, "", self._at
        text = self._text
        while at < len(text):
            char = text[at]
            if char == "\\" and quote != "`":
                at += 2
                continue
            if quote:
                quote = "" if char == quote else quote
            elif text.startswith(self._delimiter, at):
                break
            elif char in "'\"`":
                quote = char
            at += 1
        self._at = at + len(self._delimiter)
        return text[start:at]
