"""What holds on each level of the catalogue: names are unique, changes told, nothing dangles."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar, Generic, Protocol, TypeVar
from uuid import UUID

from msgspec import Struct

from lib.db import Database, Executor
from lib.db.errors import ForeignKeyViolationError, UniqueViolationError
from lib.errors import AppError, Code, not_found
from lib.http.etag import stale
from lib.ids import new_id
from services.catalog.model.entries import changes_nothing
from services.catalog.model.lists import ListEntries
from services.catalog.service.events import Removed, tell


class Entry(Protocol):
    """What the rows of all levels have."""

    @property
    def id(self) -> UUID: ...  # noqa: D102 - its name says it
    @property
    def version(self) -> int: ...  # noqa: D102 - its name says it


R = TypeVar("R", bound=Entry)
N = TypeVar("N", bound=Struct)
C = TypeVar("C", bound=Struct)
Q = TypeVar("Q", bound=ListEntries)


class Level(ABC, Generic[R, N, C, Q]):
    """One kind of entry: its rows `R`, new ones `N`, changes `C`, and what may be asked `Q`."""

    noun: ClassVar[str]
    parent_noun: ClassVar[str] = ""
    # The tags of other levels whose rows decide what is on a list of this one.
    reads: ClassVar[tuple[str, ...]] = ()

    @property
    def tag(self) -> str:
        """Its name in events and in the cache: `category_type`."""
        return self.noun.replace(" ", "_")

    @abstractmethod
    async def find(self, db: Executor, entry_id: UUID) -> R | None:
        """Return an entry."""

    @abstractmethod
    async def lock(self, tx: Executor, entry_id: UUID) -> R | None:
        """Return an entry that nobody else can change before `tx` ends."""

    @abstractmethod
    async def insert(self, tx: Executor, entry_id: UUID, new: N) -> None:
        """Add a row."""

    @abstractmethod
    async def update(self, tx: Executor, entry_id: UUID, changes: C) -> None:
        """Change a row."""

    @abstractmethod
    async def delete(self, tx: Executor, entry_id: UUID) -> None:
        """Delete a row."""

    @abstractmethod
    async def page(self, db: Executor, wanted: Q, search: str | None) -> Sequence[R]:
        """Return one page of a list; `search` is a LIKE pattern."""

    @abstractmethod
    async def count(self, db: Executor, wanted: Q, search: str | None) -> int:
        """Return how many there are on all pages."""

    async def get(self, db: Executor, entry_id: UUID) -> R:
        """Return an entry or raise NOT_FOUND."""
        return self._found(await self.find(db, entry_id))

    async def add(self, db: Database, new: N) -> R:
        """Add an entry.

        Raises:
            AppError: NOT_FOUND where what it belongs to is not there; CONFLICT for a name in use.
        """
        entry_id = new_id()
        try:
            async with db.transaction() as tx:
                await self.insert(tx, entry_id, new)
                added = await self.get(tx, entry_id)
                await tell(tx, f"{self.tag}.created", entry_id, added)
        except UniqueViolationError as error:
            raise self._taken() from error
        except ForeignKeyViolationError as error:
            raise not_found(self.parent_noun) from error
        return added

    async def change(self, db: Database, entry_id: UUID, changes: C, *, version: int | None) -> R:
        """Apply a partial change to the version the caller has seen; None stands for any.

        Raises:
            AppError: NOT_FOUND, also for what it is to belong to; PRECONDITION_FAILED where
                `version` is no longer the present one; CONFLICT for a name in use.
        """
        try:
            async with db.transaction() as tx:
                before = await self._locked(tx, entry_id, version)
                if changes_nothing(before, changes):
                    return before
                await self.update(tx, entry_id, changes)
                after = await self.get(tx, entry_id)
                await tell(tx, f"{self.tag}.changed", entry_id, after)
        except UniqueViolationError as error:
            raise self._taken() from error
        except ForeignKeyViolationError as error:
            raise not_found(self.parent_noun) from error
        return after

    async def remove(self, db: Database, entry_id: UUID, *, version: int | None) -> None:
        """Remove an entry that nothing belongs to; otherwise CONFLICT; the rest as for a change."""
        try:
            async with db.transaction() as tx:
                before = await self._locked(tx, entry_id, version)
                await self.delete(tx, entry_id)
                removed = Removed(entry_id, before.version + 1)
                await tell(tx, f"{self.tag}.removed", entry_id, removed)
        except ForeignKeyViolationError as error:
            raise AppError(Code.CONFLICT, f"{self.noun} is still in use") from error

    async def _locked(self, tx: Executor, entry_id: UUID, version: int | None) -> R:
        before = self._found(await self.lock(tx, entry_id))
        if version is not None and version != before.version:
            raise stale()
        return before

    def _found(self, entry: R | None) -> R:
        if entry is None:
            raise not_found(self.noun)
        return entry

    def _taken(self) -> AppError:
        return AppError(Code.CONFLICT, f"{self.noun} name is taken")
