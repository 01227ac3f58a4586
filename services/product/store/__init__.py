"""The queries on the engine that an executor runs on: generated for each, the same to callers."""

from __future__ import annotations

from typing import Final

from lib.db import Executor
from lib.db.engine import Engine, engine_of
from services.product.store import at_once, mysql, postgres
from services.product.store.mysql import products as mysql_products
from services.product.store.mysql import reservations as mysql_reservations
from services.product.store.mysql import stock as mysql_stock
from services.product.store.postgres import products as postgres_products
from services.product.store.postgres import reservations as postgres_reservations
from services.product.store.postgres import stock as postgres_stock
from services.product.store.postgres.products import ProductsQueriesProtocol
from services.product.store.postgres.reservations import ReservationsQueriesProtocol
from services.product.store.postgres.stock import StockQueriesProtocol

QUERY_NAMES: Final = {**postgres.QUERY_NAMES, **mysql.QUERY_NAMES, **at_once.QUERY_NAMES}
READS: Final = postgres.READS | at_once.READS | mysql.READS


def products(db: Executor) -> ProductsQueriesProtocol:
    """Return the queries of products and their prices, to run on `db`."""
    if engine_of(db) is Engine.MYSQL:
        return mysql_products.ProductsQueries(db)
    return postgres_products.ProductsQueries(db)


def stock(db: Executor) -> StockQueriesProtocol:
    """Return the queries of stocks and the ledger, to run on `db`."""
    if engine_of(db) is Engine.MYSQL:
        return mysql_stock.StockQueries(db)
    return postgres_stock.StockQueries(db)


def reservations(db: Executor) -> ReservationsQueriesProtocol:
    """Return the queries of reservations, to run on `db`."""
    if engine_of(db) is Engine.MYSQL:
        return mysql_reservations.ReservationsQueries(db)
    return postgres_reservations.ReservationsQueries(db)
