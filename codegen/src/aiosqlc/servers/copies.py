"""The interface of the databases that tests use: copies of one template database."""

from __future__ import annotations

from typing import Protocol


class TemplateError(Exception):
    """Raised if the template cannot be copied; the message is a sentence for the user."""


class Copy(Protocol):
    """A database that was equal to the template when it was created."""

    @property
    def name(self) -> str:
        """Return the name of the database."""
        ...

    @property
    def url(self) -> str:
        """Return the connection URL for drivers."""
        ...

    def reset(self) -> bool:
        """End all sessions in the database and undo all writes.

        Return False if the database must be replaced, because the writes cannot be undone.
        """
        ...

    def drop(self) -> bool:
        """Drop the database. Return False if the name stays in use, because a lock remains."""
        ...


class Copies(Protocol):
    """A template database on a server, which can be copied.

    A method raises `TemplateError` if the template cannot be copied. It raises the driver's own
    exceptions for errors of the server.
    """

    @property
    def template(self) -> str:
        """Return the name of the template."""
        ...

    def create(self, name: str) -> Copy:
        """Create a database with this name that is equal to the template."""
        ...
