"""Database failures as application errors, so that business code handles no driver exceptions."""

from __future__ import annotations

from lib.errors import AppError, Code


class ConstraintViolationError(AppError):
    """A write that violates a constraint. `constraint` is the constraint's name in the schema."""

    code_ = Code.CONFLICT
    text = "the change conflicts with existing data"

    def __init__(self, constraint: str) -> None:
        super().__init__(self.code_, self.text)
        self.constraint = constraint


class UniqueViolationError(ConstraintViolationError):
    """Another row already has the same value in a unique column or index."""

    text = "it exists already"


class ForeignKeyViolationError(ConstraintViolationError):
    """The row refers to a row that does not exist, or another row still refers to this row."""

    text = "a referenced row does not exist, or the row is still referenced"


class CheckViolationError(ConstraintViolationError):
    """A value violates a check constraint that validation should have enforced."""

    code_ = Code.VALIDATION_ERROR
    text = "a value is out of range"


class SerializationFailureError(AppError):
    """The transaction conflicts with a concurrent transaction, and can be retried as a whole."""

    def __init__(self) -> None:
        super().__init__(
            Code.CONFLICT,
            "the data was changed concurrently; try again",
            headers={"Retry-After": "1"},
        )


class DatabaseUnavailableError(AppError):
    """The server is unreachable, starting, stopping, or out of connections."""

    def __init__(self) -> None:
        super().__init__(
            Code.SERVICE_UNAVAILABLE, "the database is not available", headers={"Retry-After": "1"}
        )


class DatabaseClosedError(DatabaseUnavailableError):
    """This process has closed its connections, because the process is stopping."""


class StatementTimeoutError(AppError):
    """A statement exceeded its time limit and was cancelled."""

    def __init__(self) -> None:
        super().__init__(Code.DEADLINE_EXCEEDED, "the database did not respond in time")
