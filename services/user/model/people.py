"""Request types for the list of users and for managing accounts."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Final, Literal
from uuid import UUID

from msgspec import UNSET, Meta, UnsetType

from lib.auth import Role
from lib.errors import FieldError, invalid
from lib.resource.input import Input
from lib.resource.lists import CursorListQuery
from services.user.model.account import Email, LastName, Name, Phone
from services.user.store.models import AccountStatus

OrderBy = Literal["name", "email", "age", "salary", "created_at"]
EMPLOYMENT_KEYS: Final = ("age", "salary")


class Kind(StrEnum):
    """The users to list: employees, all users, or the users with one role."""

    STAFF = "staff"
    ALL = "all"
    CUSTOMER = "customer"
    PROVIDER = "provider"
    MODERATOR = "moderator"
    ADMIN = "admin"

    @property
    def roles(self) -> list[Role]:
        """Return the roles to list. `staff` includes all roles: an employee may have any role."""
        if self in (Kind.STAFF, Kind.ALL):
            return list(Role)
        return [Role(self.upper())]


# What may be asked for; a deleted account is listed only on request.
_PRESENT: Final = [AccountStatus.ACTIVE, AccountStatus.INACTIVE]


class PeopleQuery(CursorListQuery, frozen=True, kw_only=True):
    """Filters, page and order of the list of users."""

    kind: Annotated[
        Kind, Meta(description="list employees, all users, or the users with one role")
    ] = Kind.STAFF
    status: Annotated[
        AccountStatus | None,
        Meta(description="only accounts with this status; by default all except deleted accounts"),
    ] = None
    active: (
        Annotated[bool, Meta(description="true for active accounts, false for inactive accounts")]
        | None
    ) = None
    order_by: Annotated[OrderBy, Meta(description="sort order")] = "name"
    search: (
        Annotated[
            str,
            Meta(
                max_length=100,
                examples=["ada"],
                description="only users whose name or email address contains this text",
            ),
        ]
        | None
    ) = None
    department_id: Annotated[UUID | None, Meta(description="only users of this department")] = None

    @property
    def statuses(self) -> list[AccountStatus]:
        """Return the requested statuses."""
        if self.status is not None:
            return [self.status]
        if self.active is None:
            return _PRESENT
        return [AccountStatus.ACTIVE if self.active else AccountStatus.INACTIVE]


class Employment(Input, frozen=True, kw_only=True):
    """The employment data of an employee."""

    department_id: UUID | None = None
    age: Annotated[int, Meta(ge=1, le=150)]
    salary: Annotated[Decimal, Meta(description="0 to 9999999999.99, at most two decimals")]


class NewPerson(Input, frozen=True, kw_only=True):
    """An account to create. The owner gets an email with a link to choose a password."""

    email: Email
    first_name: Name
    last_name: LastName
    phone_number: Phone | None = None
    role: Role = Role.STAFF
    employment: Employment | None = None


class PersonChange(Input, frozen=True, kw_only=True):
    """A partial update: omitted fields keep their values.

    `"employment": null` ends the employment.
    """

    email: Email | UnsetType = UNSET
    first_name: Name | UnsetType = UNSET
    last_name: LastName | UnsetType = UNSET
    phone_number: Phone | UnsetType = UNSET
    employment: Employment | UnsetType | None = UNSET


def check_salary(employment: Employment) -> None:
    """Refuse a salary that the database cannot store exactly.

    Raises:
        AppError: VALIDATION_ERROR unless the salary is an amount of money from 0 to
            9,999,999,999.99.
    """
    salary = employment.salary
    # Not a number first: it cannot be compared.
    if not (salary.is_finite() and 0 <= salary < 10**10 and _is_of_cents(salary)):
        message = "must be an amount from 0 to 9999999999.99 with at most two decimals"
        raise invalid(FieldError("employment.salary", message))


def _is_of_cents(amount: Decimal) -> bool:
    exponent = amount.normalize().as_tuple().exponent
    return isinstance(exponent, int) and exponent >= -2
