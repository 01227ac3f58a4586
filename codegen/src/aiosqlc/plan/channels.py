"""Plan two functions for a declared channel: one receives notifications, one sends them."""

from __future__ import annotations

from msgspec import Struct

from aiosqlc.diagnostics import Diagnostic, Label
from aiosqlc.drivers.pytype import PyType
from aiosqlc.ir import TypedQuery
from aiosqlc.plan import pytypes
from aiosqlc.plan.gathered import Gathered
from aiosqlc.plan.model import Import, PyChannel
from aiosqlc.plan.naming import constant, function_name
from aiosqlc.plan.package import Package
from aiosqlc.plan.rows import QueryPlanner
from aiosqlc.store.memo import memo_by

MODULE = "notifications"
"""The name of the generated module that defines the listener."""


class ChannelPlan(Struct, frozen=True):
    """The functions of a channel, the classes that the functions need, and the diagnostics."""

    channel: PyChannel
    needed: Gathered
    problems: tuple[Diagnostic, ...] = ()


def plan_channel(query: TypedQuery, package: Package) -> ChannelPlan:
    """Plan the functions of a declared channel."""
    planned = _plan(query, package)
    if package.driver.listens:
        return planned
    label = Label(query.parsed.file, query.parsed.name_span, "this channel")
    problem = Diagnostic(
        "E417",
        f"a listener cannot be generated for the driver {package.driver.name}",
        (label,),
        "use the driver asyncpg: list it first in `driver`, or give the file with the `notify` "
        "lines a configuration entry of its own",
    )
    return ChannelPlan(planned.channel, planned.needed, (problem,))


@memo_by(lambda query, package: (query.digest, package.digest))
def _plan(query: TypedQuery, package: Package) -> ChannelPlan:
    planner = QueryPlanner(package)
    parsed = query.parsed
    name = function_name(parsed.name)
    payload, shape = pytypes.TEXT, query.columns[0].shape
    documents = planner.documents_of(query)
    if shape is not None:
        payload = documents.payload(dict(parsed.options)["payload"], shape)
    executor = package.executor("Executor")
    channel = PyChannel(
        channel=parsed.channel,
        listen=f"listen{name.removeprefix('notify')}",
        notify=name,
        constant=constant(parsed.name),
        sql=f"SELECT pg_notify({_literal(parsed.channel)}, $1)",
        query_name=parsed.name,
        payload=PyType(payload.annotation),
        executor=executor,
        decoder=next(iter(documents.decoders), None),
        own_classes=tuple(documents.classes),
        doc=parsed.doc,
        imports=_imports(package, executor, payload, documents.decoders != [])
        | frozenset(
            found
            for cls in documents.classes
            for field in cls.fields
            for found in field.type.imports_in(field.type.annotation)
        ),
    )
    return ChannelPlan(channel, planner.gathered)


def _imports(
    package: Package, executor: Import, payload: PyType, decoded: bool
) -> frozenset[Import]:
    module = package.in_package(MODULE)
    found = {(module, "ListenConnection"), (module, "Listener"), (module, "encoded"), executor}
    found |= payload.imports_in(payload.annotation)
    found |= {package.json_maker} if decoded else set()
    return frozenset(found)


def _literal(text: str) -> str:
    """Return an SQL string constant that does not depend on `standard_conforming_strings`."""
    quoted = text.replace("'", "''")
    return f"E'{quoted.replace(chr(92), chr(92) * 2)}'" if chr(92) in text else f"'{quoted}'"
