"""Response types for users: in lists, for the account's owner, and public."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct

from lib.resource.views import ReaderView, view
from services.user.store.models import AccountRole, AccountStatus
from services.user.store.profiles import GetPersonRow, GetProfileRow
from services.user.store.roles import ListRolesRow
from services.user.store.staff import ListAccountsRow, ListStaffRow, StaffStatisticsRow


class UserWithPoints(Struct, frozen=True, gc=False):
    """One user of the list.

    `points` is null if the point service did not respond. Only employees have `age` and `salary`,
    and only callers who may see salaries get these fields.
    """

    id: UUID
    name: Annotated[str, Meta(examples=["Ada Lovelace"])]
    email: str
    role: AccountRole
    status: AccountStatus
    verified: bool
    department_id: UUID | None
    age: int | None
    salary: Decimal | None
    points: int | None
    version: int
    created_at: datetime
    updated_at: datetime


class UserList(Struct, frozen=True):
    """A page of users.

    `statistics` covers all employees, independent of the page and its filters. `statistics` is null
    for callers who may not see salaries.
    """

    users: list[UserWithPoints]
    statistics: StaffStatisticsRow | None


class EmploymentView(Struct, frozen=True):
    """The employment data of an employee."""

    department_id: UUID | None
    age: int
    salary: Decimal


class Person(ReaderView, frozen=True, kw_only=True, omit_defaults=True):
    """An account as its owner and administrators see it.

    `picture_url` expires after some hours. `personal_id_preview` has the last two digits of a
    provider's personal ID. Only the owner and callers who may see salaries get `employment`. If the
    account has a custom role, `custom_role` is the name of this role, and `role` is the built-in
    role that the custom role is based on.
    """

    id: UUID
    email: str
    first_name: str
    last_name: str
    name: Annotated[str, Meta(examples=["Ada Lovelace"])]
    phone_number: str | None
    role: AccountRole
    custom_role: Annotated[str, Meta(examples=["REVIEWER"])] | None = None
    status: AccountStatus
    verified: bool
    picture_url: (
        Annotated[str, Meta(examples=["https://example.com/api/users/v1/files/pfp/0123.png"])]
        | None
    ) = None
    personal_id_preview: Annotated[str, Meta(examples=["01"])] | None = None
    employment: EmploymentView | None = None
    version: int
    created_at: datetime
    updated_at: datetime


class Profile(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A public profile. Only the profiles of providers have a full name and contact data."""

    id: UUID
    first_name: str
    last_name: str
    role: AccountRole
    verified: bool
    email: str | None = None
    phone_number: str | None = None
    picture_url: str | None = None
    created_at: datetime


class RoleView(ReaderView, frozen=True):
    """A role with its permissions.

    If a permission is deleted, the role loses it, but `version` does not change.
    """

    name: str
    kind: AccountRole
    custom: bool
    description: str
    version: int
    updated_at: datetime
    updated_by: str
    permissions: list[str]


def role_view(row: ListRolesRow) -> RoleView:
    """Convert a role to its response type."""
    return view(RoleView, row)


def with_points(
    row: ListStaffRow | ListAccountsRow, points: int | None, *, salaries: bool
) -> UserWithPoints:
    """Join a user of the list with the user's points. Without `salaries`, omit age and salary."""
    hidden = {} if salaries else {"age": None, "salary": None}
    return view(UserWithPoints, row, points=points, **hidden)


def person_view(
    row: GetPersonRow, picture_url: str | None, *, preview: str | None, salary: bool
) -> Person:
    """Return an account with the fields that the caller may see."""
    employment = None
    if salary and row.age is not None and row.salary is not None:
        employment = EmploymentView(row.department_id, row.age, row.salary)
    return view(
        Person,
        row,
        picture_url=picture_url,
        personal_id_preview=preview,
        employment=employment,
    )


def profile_view(row: GetProfileRow, picture_url: str | None, *, contact: bool) -> Profile:
    """Return a public profile. With `contact`, include the full name and contact data."""
    hidden = {"last_name": _initial(row.last_name), "email": None, "phone_number": None}
    return view(Profile, row, picture_url=picture_url, **({} if contact else hidden))


def _initial(name: str) -> str:
    return f"{name[0]}." if name else ""
