"""The caller, with the attributes that the marketplace rules need."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Caller:
    """A caller, signed in or anonymous.

    `id` is None for anonymous callers and services. `verified` states whether the caller's email
    address is verified. Permissions: `sees_all` allows reading everything, `manages` allows
    changing and removing everything too, and `moderates` allows removing reviews.
    """

    id: UUID | None = None
    is_provider: bool = False
    verified: bool = False
    sees_all: bool = False
    manages: bool = False
    moderates: bool = False

    def is_one_of(self, *people: UUID) -> bool:
        """Return whether the caller is one of the given users."""
        return self.id is not None and self.id in people

    def may_see_of(self, *people: UUID) -> bool:
        """Return whether the caller is one of the given users or may read everything."""
        return self.sees_all or self.is_one_of(*people)
