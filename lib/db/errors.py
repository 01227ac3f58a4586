"""Database failures in the one error vocabulary, so that rules never see a driver."""

from __future__ import annotations

from lib.errors import AppError, Code


class ConstraintViolationError(AppError):
    """A write that the schema refuses. `constraint` is the name it has in the schema."""

    code_ = Code.CONFLICT
    text = "the change conflicts with existing data"

    def __init__(self, constraint: str) -> None:
        super().__init__(self.code_, self.text)
        self.constraint = constraint


class UniqueViolationError(ConstraintViolationError):
    """Another row already has this key."""

    text = "it exists already"


class ForeignKeyViolationError(ConstraintViolationError):
    """The row refers to one that does not exist, or another row refers to it."""

    text = "it refers to something that does not exist, or is referred to"


class CheckViolationError(ConstraintViolationError):
    """A value breaks a rule of the schema that validation should have caught."""

    code_ = Code.VALIDATION_ERROR
    text = "a value is outside what is allowed"


class SerializationFailureError(AppError):
    """The transaction lost a race and may be tried again from its beginning."""

    def __init__(self) -> None:
        super().__init__(
            Code.CONFLICT,
            "the data was changed at the same time, try again",
            headers={"Retry-After": "1"},
        )


class DatabaseUnavailableError(AppError):
    """The server cannot be reached, is starting or stopping, or has no connection to spare."""

    def __init__(self) -> None:
        super().__init__(
            Code.SERVICE_UNAVAILABLE, "the database is not available", headers={"Retry-After": "1"}
        )


class DatabaseClosedError(DatabaseUnavailableError):
    """This process has closed its connections: it is ending, or was asked for work too late."""


class StatementTimeoutError(AppError):
    """A statement ran into its time limit and was cancelled."""

    def __init__(self) -> None:
        super().__init__(Code.DEADLINE_EXCEEDED, "the database took too long")
