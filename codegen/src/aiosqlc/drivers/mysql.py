"""The drivers of MySQL and MariaDB."""

from __future__ import annotations

from msgspec.structs import replace

from aiosqlc.drivers import mysql_errors, mysql_transactions
from aiosqlc.drivers.mysql_types import python_type
from aiosqlc.drivers.port import Driver, Places, Types
from aiosqlc.source import Dialect

_PROTOCOLS = ("Executor", "BatchExecutor", "CopyExecutor", "StreamExecutor")


def _fits(executor: str) -> dict[str, str]:
    return dict.fromkeys(_PROTOCOLS, f"Wrap a connection in `{executor}` (module `adapter`)")


AIOMYSQL = Driver(
    name="aiomysql",
    engine=Dialect.MYSQL,
    # MySQL stores '' for an invalid enum value. It is not a member, so the enum class raises.
    types=Types(python_type, structured=False, json_reader="_mysql"),
    fits=_fits("AiomysqlExecutor"),
    places=Places.FORMATTED,
    adapter="aiomysql_adapter",
    executor="AiomysqlExecutor",
    makes_ids=True,
    violations=mysql_errors.OF_PYMYSQL,
    helpers=mysql_transactions.OF_AIOMYSQL,
)
PYMYSQL = replace(
    AIOMYSQL,
    name="pymysql",
    fits=_fits("PymysqlExecutor"),
    executor="PymysqlExecutor",
    rewritten=(
        ("An aiomysql", "A PyMySQL"),
        ("an aiomysql", "a PyMySQL"),
        ('import_module("aiomysql")', 'import_module("pymysql.cursors")'),
        ("AiomysqlExecutor", "PymysqlExecutor"),
    ),
    synchronous=True,
    helpers=mysql_transactions.OF_PYMYSQL,
)
ASYNCMY = replace(
    AIOMYSQL,
    name="asyncmy",
    fits=_fits("AsyncmyExecutor"),
    adapter="asyncmy_adapter",
    executor="AsyncmyExecutor",
    violations=mysql_errors.OF_ASYNCMY,
    helpers=mysql_transactions.OF_ASYNCMY,
)
