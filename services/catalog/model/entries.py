"""Request types to create and update catalog entries, such as categories and services."""

from __future__ import annotations

from typing import Annotated, Final
from uuid import UUID

from msgspec import UNSET, Meta, UnsetType
from msgspec.structs import force_setattr

from lib.resource.input import Input
from lib.texts import UNSEEN, one_line

_TWO_SEEN: Final = f"[^{UNSEEN}][{UNSEEN}]*[^{UNSEEN}]"
_PROBLEM: Final = {"message": "must contain at least two visible characters"}

ShortName = Annotated[
    str,
    Meta(examples=["Piano care"], min_length=2, max_length=30, pattern=_TWO_SEEN, extra=_PROBLEM),
]
LongName = Annotated[
    str,
    Meta(
        examples=["Tune a grand piano"],
        min_length=2,
        max_length=100,
        pattern=_TWO_SEEN,
        extra=_PROBLEM,
    ),
]
Description = Annotated[
    str, Meta(examples=["We tune the piano and replace broken strings."], max_length=4000)
]


class _Named(Input, frozen=True, kw_only=True):
    """Collapse the spaces in `name` when a request is decoded."""

    name: str | UnsetType = UNSET

    def __post_init__(self) -> None:
        if isinstance(self.name, str):
            force_setattr(self, "name", one_line(self.name))


class NewCategoryType(_Named, frozen=True, kw_only=True):
    """A category type to create."""

    name: ShortName


class NewCategory(_Named, frozen=True, kw_only=True):
    """A category to create in a category type."""

    type_id: UUID
    name: ShortName


class NewSubcategory(_Named, frozen=True, kw_only=True):
    """A subcategory to create in a category."""

    category_id: UUID
    name: LongName


class NewService(_Named, frozen=True, kw_only=True):
    """A service to create in a subcategory."""

    subcategory_id: UUID
    name: LongName
    description: Description = ""


class CategoryTypeChange(_Named, frozen=True, kw_only=True):
    """A partial update: omitted fields keep their values."""

    name: ShortName | UnsetType = UNSET


class CategoryChange(_Named, frozen=True, kw_only=True):
    """A partial update: omitted fields keep their values. `type_id` moves the category."""

    type_id: UUID | UnsetType = UNSET
    name: ShortName | UnsetType = UNSET


class SubcategoryChange(_Named, frozen=True, kw_only=True):
    """A partial update: omitted fields keep their values.

    If the request has a `category_id`, the subcategory moves to that category.
    """

    category_id: UUID | UnsetType = UNSET
    name: LongName | UnsetType = UNSET


class ServiceChange(_Named, frozen=True, kw_only=True):
    """A partial update: omitted fields keep their values.

    If the request has a `subcategory_id`, the service moves to that subcategory.
    """

    subcategory_id: UUID | UnsetType = UNSET
    name: LongName | UnsetType = UNSET
    description: Description | UnsetType = UNSET


class NewProviderService(Input, frozen=True, kw_only=True):
    """The service to add to the services that a provider offers."""

    service_id: UUID
