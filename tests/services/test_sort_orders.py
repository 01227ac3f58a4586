"""The documented sort orders of a list are those that its query accepts."""

from __future__ import annotations

import importlib
import inspect
import itertools
import pkgutil
from collections.abc import Iterator
from types import ModuleType
from typing import Any, get_args, get_type_hints

import pytest

from devstack.settings import service_names
from lib.resource.lists import ListQuery, Sort

# Its four orders are four queries.
ONE_QUERY_EACH = {"ListDepartments"}
# Two queries share the orders of one list, because the cursors of one contain salaries.
SHARED = {"walk_accounts": "walk_accounts", "walk_accounts_by_employment": "walk_accounts"}


def modules(service: str) -> Iterator[ModuleType]:
    package = importlib.import_module(f"services.{service}")
    for found in pkgutil.walk_packages(package.__path__, f"services.{service}."):
        if not found.name.endswith("__main__"):
            yield importlib.import_module(found.name)


def asked(service: str) -> dict[str, frozenset[str]]:
    """Return the documented sort orders of each sorted list of a service, by its class."""
    found = {}
    for module in modules(service):
        for name, spec in vars(module).items():
            if (
                inspect.isclass(spec)
                and issubclass(spec, ListQuery)
                and "order_by" in spec.__struct_fields__
                and name not in ONE_QUERY_EACH
            ):
                orders = get_args(get_type_hints(spec)["order_by"])
                found[name] = frozenset(
                    spec(order_by=by, sort=sort).sql_sort
                    for by, sort in itertools.product(orders, Sort)
                )
    return found


def taken(service: str) -> dict[str, frozenset[str]]:
    """Return the orders that each generated function of a service accepts, by its name."""
    found: dict[str, frozenset[str]] = {}
    for module in modules(service):
        if ".store" in module.__name__:
            for name, function in functions(module):
                hints: dict[str, Any] = get_type_hints(function, vars(module))
                if "sort" in hints:
                    query = f"{module.__name__}.{SHARED.get(name, name)}"
                    orders = frozenset(plain(order) for order in get_args(hints["sort"]))
                    found[query] = found.get(query, frozenset()) | orders
    return found


def plain(order: str) -> str:
    """Return an order without the place of NULL, which callers do not choose."""
    return order.removesuffix(" nulls first").removesuffix(" nulls last")


def functions(module: ModuleType) -> Iterator[tuple[str, Any]]:
    for name, value in vars(module).items():
        if inspect.isfunction(value):
            yield name, value
        elif inspect.isclass(value) and value.__module__ == module.__name__:
            yield from (
                (f"{name}.{of}", one) for of, one in inspect.getmembers(value, inspect.isfunction)
            )


@pytest.mark.parametrize("service", service_names())
def test_every_order_that_can_be_asked_for_is_one_of_a_query(service):
    lists, queries = asked(service), taken(service)
    assert {name: orders for name, orders in lists.items() if orders not in queries.values()} == {}
    assert {name: orders for name, orders in queries.items() if orders not in lists.values()} == {}


def test_the_lists_of_the_services_are_found():
    assert {"ListOrders", "ListProducts"} <= {
        name for one in service_names() for name in asked(one)
    }
