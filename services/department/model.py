"""Request types for departments, and partial updates."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, UnsetType
from msgspec.structs import force_setattr

from lib.resource.input import Input
from lib.resource.lists import ListQuery, orders_of
from lib.texts import BLANK, NOT_BLANK, trimmed

_Text = Meta(min_length=1, max_length=255, pattern=NOT_BLANK, extra=BLANK)
Name = Annotated[str, _Text, Meta(examples=["Piano workshop"])]
Address = Annotated[str, _Text, Meta(examples=["Torstraße 1, Berlin"])]


class ListDepartments(ListQuery, frozen=True, kw_only=True):
    """The query parameters of the list of departments. `search` matches names and addresses."""

    order_by: Annotated[Literal["name", "created_at"], orders_of("departments")] = "name"
    search: Annotated[str, Meta(max_length=255, examples=["piano"])] | None = None


class _Trimmed(Input, frozen=True, kw_only=True):
    """Remove white space at both ends of each text when a request is decoded."""

    def __post_init__(self) -> None:
        for name in self.__struct_fields__:
            if isinstance(value := getattr(self, name), str):
                force_setattr(self, name, trimmed(value))


class NewDepartment(_Trimmed, frozen=True, kw_only=True):
    """A department to create."""

    name: Name
    address: Address | None = None


class DepartmentChange(_Trimmed, frozen=True, kw_only=True):
    """A partial update: omitted fields keep their values. `"address": null` removes the address."""

    name: Name | UnsetType = UNSET
    address: Address | UnsetType | None = UNSET
