"""Attacks by an assistant: each call has a required outcome."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

_DEEP: Any = "x"
for _ in range(100):  # what the protocol itself still reads
    _DEEP = [_DEEP]


@dataclass(frozen=True, slots=True)
class Attack:
    """A call, and the code of its failure, or '' if it succeeds and returns no foreign data."""

    idea: str
    tool: str
    arguments: dict[str, Any] = field(default_factory=dict)
    code: str = ""


ATTACKS: Final = (
    # Another tenant's rows
    Attack("pass the bound parameter", "list_orders", {"tenant_id": 2}, "invalid_argument"),
    Attack("pass it with other letters", "list_orders", {"TENANT_ID": 2}, "invalid_argument"),
    Attack("pass it with a space", "list_orders", {"tenant_id ": 2}, "invalid_argument"),
    Attack("pass it as null", "get_user", {"id": 3, "tenant_id": None}, "invalid_argument"),
    Attack("pass it nested", "get_user", {"id": {"tenant_id": 2}}, "invalid_argument"),
    Attack("name another tenant's user", "get_user", {"id": 3}),
    Attack("list another tenant's users", "users_by_ids", {"ids": [1, 2, 3]}),
    Attack("pay another tenant's order", "pay_order", {"id": 32}),
    Attack("search for another tenant's note", "search_notes", {"words": "of-the-other"}),
    Attack("match everything", "search_notes", {"words": "%"}),
    Attack("call what has no tenant", "all_orders", {}, "unknown_tool"),
    Attack("call a view of masked columns", "mails", {}, "unknown_tool"),
    # Writes
    Attack("write by a query that is not listed", "drop_notes", {}, "unknown_tool"),
    Attack("write inside WITH", "newest_orders", {}, "unknown_tool"),
    Attack("write by a function", "closed_orders", {}, "unknown_tool"),
    Attack("take locks", "locked_orders", {}, "unknown_tool"),
    Attack("copy rows in", "copy_orders", {"rows": [[1, 1, "x"]]}, "unknown_tool"),
    # SQL in values
    Attack("end the literal", "search_notes", {"words": "'; DELETE FROM orders; --"}),
    Attack("union", "search_notes", {"words": "' UNION SELECT email FROM users --"}),
    Attack("dollar quotes", "search_notes", {"words": "$$; DROP TABLE orders; $$"}),
    Attack("a comment", "search_notes", {"words": "/* */ OR 1=1"}),
    Attack("a backslash", "search_notes", {"words": "\\"}),
    Attack("SQL for a number", "get_user", {"id": "1 OR 1=1"}, "invalid_argument"),
    Attack("SQL for an order", "list_orders", {"sort": "id; DELETE"}, "invalid_argument"),
    Attack("a column that no order offers", "list_orders", {"sort": "code"}, "invalid_argument"),
    Attack("SQL in an array", "users_by_mood", {"moods": ["happy'); --"]}, "invalid_argument"),
    Attack("an array's syntax", "users_by_mood", {"moods": ["{happy,sad}"]}, "invalid_argument"),
    # Wrong types
    Attack("text for a number", "get_user", {"id": "1"}, "invalid_argument"),
    Attack("a float", "get_user", {"id": 1.5}, "invalid_argument"),
    Attack("a truth value", "get_user", {"id": True}, "invalid_argument"),
    Attack("null", "get_user", {"id": None}, "invalid_argument"),
    Attack("a list", "get_user", {"id": [1]}, "invalid_argument"),
    Attack("no argument", "get_user", {}, "invalid_argument"),
    Attack("an unknown argument", "get_user", {"id": 1, "limit": 9}, "invalid_argument"),
    Attack("above the range of int", "get_user", {"id": 2**31}, "invalid_argument"),
    Attack("below the range of int", "get_user", {"id": -(2**40)}, "invalid_argument"),
    Attack("beyond every integer", "get_user", {"id": 10**30}, "invalid_argument"),
    Attack("an unknown label", "users_by_mood", {"moods": ["angry"]}, "invalid_argument"),
    Attack("null in an array", "users_by_mood", {"moods": [None]}, "invalid_argument"),
    Attack("text for an array", "users_by_ids", {"ids": "123"}, "invalid_argument"),
    Attack("an object for an array", "users_by_ids", {"ids": {"0": 1}}, "invalid_argument"),
    Attack("a number for a condition", "list_orders", {"paid": 1}, "invalid_argument"),
    # Characters
    Attack("NUL", "search_notes", {"words": "a\0b"}, "invalid_argument"),
    Attack("NUL in an array", "users_by_mood", {"moods": ["happy\0"]}, "invalid_argument"),
    Attack("a name of a method", "get_user", {"__class__": "x", "id": 1}, "invalid_argument"),
    Attack("right-to-left marks", "search_notes", {"words": "\u202eeton"}),
    # Sizes
    Attack("a long text", "search_notes", {"words": "x" * 10_001}, "argument_too_large"),
    Attack("a long name", "get_user", {"id" * 9_000: 1}, "argument_too_large"),
    Attack("many names", "get_user", {f"a{n}": 1 for n in range(20_000)}, "argument_too_large"),
    Attack("many values", "users_by_ids", {"ids": [1] * 20_000}, "argument_too_large"),
    Attack("deep nesting", "users_by_ids", {"ids": _DEEP}, "invalid_argument"),
    Attack("rows without end", "list_orders", {}),
    Attack("a wide row", "wide", {"n": 1_000_000}, "result_too_large"),
    Attack("more than a value holds", "wide", {"n": 2_000_000_000}, "query_failed"),
    Attack("endless work", "slow", {"n": 10**15}, "timeout"),
    Attack("set the size of chunks", "list_orders", {"chunk": 10**9}, "invalid_argument"),
    # The error channel
    Attack("divide by zero", "divided", {"divisor": 0}, "invalid_argument"),
    Attack("meet another's key", "set_code", {"id": 1, "code": "of-the-other-tenant"},
           "constraint_violated"),
    # Masked and forbidden columns
    Attack("read a masked column", "get_user", {"id": 1}),
    Attack("read it in a nested row", "orders_with_users", {}, "unknown_tool"),
    Attack("read it renamed", "renamed_mails", {}),
    Attack("read it by an expression", "upper_mails", {}, "unknown_tool"),
    Attack("read it by a whole row", "whole_users", {}, "unknown_tool"),
    Attack("read it by a set operation", "union_of_mails", {}, "unknown_tool"),
    Attack("read it by a function", "mail_of", {}, "unknown_tool"),
    Attack("read a forbidden column", "secrets", {}, "unknown_tool"),
    # Names
    Attack("free SQL", "query", {"sql": "SELECT 1"}, "unknown_tool"),
    Attack("the query's own name", "GetUser", {"id": 1}, "unknown_tool"),
    Attack("a path", "../get_user", {"id": 1}, "unknown_tool"),
    Attack("an empty name", "", {}, "unknown_tool"),
    Attack("a look-alike name", "get_usеr", {"id": 1}, "unknown_tool"),
    Attack("a method", "tools/call", {}, "unknown_tool"),
)  # fmt: skip
