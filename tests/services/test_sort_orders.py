"""What a list may be ordered by is what its query takes."""

from __future__ import annotations

import inspect
import itertools
from typing import Any, get_args, get_type_hints

import pytest

from lib.resource.lists import ListQuery, Sort
from services.catalog.model.lists import ListEntries
from services.catalog.service.levels import LEVELS
from services.order.goods.model.orders import ListOrders
from services.order.goods.store import orders as goods
from services.order.marketplace.model import lists
from services.order.marketplace.store import (
    cities,
    currencies,
    jobs,
    offers,
    reviews,
    service_orders,
)
from services.product.model.products import ListProducts
from services.product.store.mysql.products import ProductsQueries as MySqlProducts
from services.product.store.postgres.products import ProductsQueries as PostgresProducts
from services.user.model.people import PeopleQuery
from services.user.store import staff

QUERIES: list[tuple[type[ListQuery], Any]] = [
    *((ListEntries, level.list_) for level in LEVELS),
    (ListOrders, goods.list_orders),
    (lists.ListCities, cities.list_cities),
    (lists.ListCurrencies, currencies.list_currencies),
    (lists.ListServiceOrders, service_orders.list_service_orders),
    (lists.ListOffers, offers.list_offers),
    (lists.ListJobs, jobs.list_jobs),
    (lists.ListReviews, reviews.list_reviews),
    (ListProducts, PostgresProducts.list_products),
    (ListProducts, MySqlProducts.list_products),
    (PeopleQuery, staff.list_staff),
    (PeopleQuery, staff.list_accounts),
]


@pytest.mark.parametrize(("asked", "query"), QUERIES, ids=lambda one: one.__name__)
def test_every_order_that_can_be_asked_for_is_one_of_the_query(asked, query):
    orders = get_args(get_type_hints(asked)["order_by"])
    wanted = {
        asked(order_by=by, sort=sort).sql_sort for by, sort in itertools.product(orders, Sort)
    }
    taken = get_type_hints(query, vars(inspect.getmodule(query)))["sort"]
    assert wanted == set(get_args(taken))


def test_every_list_that_is_sorted_is_in_the_table():
    def below(spec: type[ListQuery]) -> set[type[ListQuery]]:
        return {spec}.union(*(below(one) for one in spec.__subclasses__()))

    sorted_ = {spec for spec in below(ListQuery) if "order_by" in spec.__struct_fields__}
    known = {spec for asked, _ in QUERIES for spec in (*below(asked), *asked.__mro__)}
    # Its four orders are four queries.
    assert {s.__name__ for s in sorted_ - known if s.__module__.startswith("services")} <= {
        "ListDepartments"
    }
