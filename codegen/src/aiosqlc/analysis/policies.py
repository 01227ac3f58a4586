"""Row-level security policies, as statements of a migration."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

_NAME = "tenant"


class Policy(Struct, frozen=True):
    """A policy of a table: the condition on existing rows, and the condition on new rows."""

    table: str
    using: str
    check: str


class Policies(Struct, frozen=True):
    """The policies that isolate tenants, and the tables for which no policy can be derived."""

    policies: tuple[Policy, ...]
    without: tuple[str, ...] = ()

    def statements(self) -> Iterator[str]:
        """Yield the statements that create the policies."""
        for policy in self.policies:
            yield f"ALTER TABLE {policy.table} ENABLE ROW LEVEL SECURITY"
            check = f"\n    WITH CHECK ({policy.check})" if policy.check != policy.using else ""
            yield f"CREATE POLICY {_NAME} ON {policy.table}\n    USING ({policy.using}){check}"

    def undone(self) -> Iterator[str]:
        """Yield the statements that remove the policies."""
        for policy in reversed(self.policies):
            yield f"DROP POLICY {_NAME} ON {policy.table}"
            yield f"ALTER TABLE {policy.table} DISABLE ROW LEVEL SECURITY"
