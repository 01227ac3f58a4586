"""Analyse SQL functions as queries, from the parse trees of their bodies that the server stores."""

from __future__ import annotations

from aiosqlc.postgres.catalog.facts import Facts
from aiosqlc.postgres.catalog.rows import Function
from aiosqlc.postgres.infer import kinds
from aiosqlc.postgres.infer.outputs import expression_type, output_targets
from aiosqlc.postgres.infer.prover import Prover
from aiosqlc.postgres.infer.relations import column_in
from aiosqlc.postgres.infer.scope import Scope
from aiosqlc.postgres.infer.verdict import Verdict, maybe, never
from aiosqlc.postgres.tree import Node

_DEEPEST = 8


def names_stay(scope: Scope) -> bool:
    """Return whether no function in the statement changes which table a name refers to."""
    while scope.parent is not None:
        scope = scope.parent
    return not scope.catalog.moving.runs_in(scope.query.text)


def body_verdict(
    p: Prover, function: Function, args: list[Node], scope: Scope, column: int = 0
) -> Verdict:
    """Infer whether a call of a user's function can be NULL, from the parse tree of its body.

    If the function returns a set, the verdict is about the values in the set. `column` is the
    number of a column of the function's rows in FROM, or 0 for the function's value.
    """
    name = f"{function.name}()"
    known = function.returned or (function.body and function.language == "sql")
    if not known or p.depth >= _DEEPEST:
        return maybe(f"{name} is not analysed, because no parse tree of its body is known")
    stay = names_stay(scope)
    if function.returned:
        stay = p.facts.holds(
            "procedural-function",
            "no function of the statement changes which table a name refers to",
            stay,
        )
    elif not stay:
        stay = p.facts.holds(
            "user-function",
            "no function of the statement changes which table a name refers to",
            False,
        )
    if not stay:
        return maybe(f"another function of the statement may change what names in {name} mean")
    verdicts = p.all(args, scope)
    if function.strict and function.set:
        verdicts = [
            never("user-function", f"{name} is strict, and returns no rows for a NULL argument")
            for _ in args
        ]
    elif function.strict:
        missing = next((v for v in verdicts if v.null), None)
        if len(args) < function.inputs:  # a call does not list defaults
            missing = maybe("the default of a parameter may be NULL")
        if missing is not None and not p.facts.holds(
            "user-function", "the arguments of a strict function are not NULL", False
        ):
            return maybe(f"{name} is strict, and an argument may be NULL", missing)
    arguments = {
        _position(arg, number): verdict
        for number, (arg, verdict) in enumerate(zip(args, verdicts, strict=True), 1)
    }
    inner = Prover(p.facts, p.resolver, (), arguments, p.depth + 1)
    if function.returned:
        return _procedural(inner, function, column)
    query = last_query(p.facts, function)
    verdict = _value(inner, function, query, column)
    if query is None:
        return verdict
    # The server raises an error if a procedure with output parameters returns no row.
    some = function.set or function.kind == "p" or _has_row(p, query)
    if not p.facts.holds("user-function", "the body of the function returns a row", some):
        return maybe(f"the body of {name} may return no row")
    return p.all_of("user-function", [verdict], f"the body of {name} returns a value")


def _procedural(p: Prover, function: Function, column: int) -> Verdict:
    """Infer whether the value that a PL/pgSQL function returns can be NULL.

    `column` is the number of a column of the returned rows, or 0 for a single value. The query of
    every RETURN is checked.
    """
    name = f"{function.name}()"
    verdicts = []
    for returned in function.returned:
        for tree in returned.trees:
            query = _query_of(p.facts, tree)
            some = not returned.single or (query is not None and _has_row(p, query))
            if not p.facts.holds(
                "procedural-function", "the query of a RETURN with a value returns a row", some
            ):
                return maybe(f"the query of a RETURN of {name} may return no row")
            verdicts.append(_value(p, function, query, column))
    return p.all_of("procedural-function", verdicts, f"no RETURN of {name} returns NULL")


def _value(p: Prover, function: Function, query: Node | None, column: int) -> Verdict:
    """Infer whether a function that returns the result of `query` can return NULL.

    `column` is the number of a column of the returned rows, or 0 for a single value.
    """
    types = _column_types(p, function) if column else [function.result]
    place = max(column, 1)
    if query is None or len(output_targets(query)) != len(types) or place > len(types):
        return maybe(f"the body of {function.name}() is not a single query")
    if expression_type(output_targets(query)[place - 1]["expr"]) != types[place - 1]:
        return maybe(f"the result of {function.name}() is cast on return")
    return column_in(p, Scope(query, None, p.facts), place)


def _has_row(p: Prover, query: Node) -> bool:
    return p.resolver.at_least_one(p.facts, Scope(query, None, p.facts))


def call_of(nodes: list[Node]) -> Node | None:
    """Return the CALL statement that a query consists of, or None for any other query."""
    statement = nodes[0].get("utilityStmt") if len(nodes) == 1 else None
    return statement if statement is not None and statement.kind == "CALLSTMT" else None


def procedure_verdicts(p: Prover, call: Node, scope: Scope, count: int) -> list[Verdict]:
    """Infer for each output parameter of a CALL statement whether it can be NULL.

    `scope` is the scope of the statement, and `count` is the number of columns in its result.
    """
    function = p.facts.functions.get(call["funcexpr"]["funcid"])
    if function is None:
        return [maybe("the procedure is not known")] * count
    args = call["funcexpr"].list_of("args")
    return [body_verdict(p, function, args, scope, number) for number in range(1, count + 1)]


def _column_types(p: Prover, function: Function) -> list[int]:
    """Return the types of the columns that a function returns in FROM, or [] if unknown."""
    composite = p.facts.types.get(function.result)
    if composite is None or composite.kind != "c":
        return function.outputs
    columns = p.facts.columns.get(composite.relation, [])
    # A dropped column keeps its number, but the body does not return it.
    whole = [column.number for column in columns] == list(range(1, len(columns) + 1))
    return [column.type for column in columns] if whole else []


def _position(arg: Node, number: int) -> int:
    """Return the number of the parameter to which a call passes an argument.

    Named arguments may be in any order.
    """
    return int(arg["argnumber"]) + 1 if arg.kind == "NAMEDARGEXPR" else number


def last_query(facts: Facts, function: Function) -> Node | None:
    """Return the query whose result a function returns, if the body consists of queries."""
    if not function.body or function.language != "sql":
        return None
    return _query_of(facts, function.body)


def row_queries(facts: Facts, function: Function) -> list[Node | None]:
    """Return the query of each RETURN by which a function returns rows, or [] if unknown.

    Each query is returned once for each possible meaning of its names. A PL/pgSQL body that is
    supported has no loop, so it runs each RETURN at most once.
    """
    if not function.returned:
        query = last_query(facts, function)
        return [query] if query is not None else []
    if not facts.holds(
        "function-rows",
        "only one RETURN of a PL/pgSQL body returns rows",
        len(function.returned) == 1,
    ):
        return []
    trees = [tree for returned in function.returned for tree in returned.trees]
    return [_query_of(facts, tree) for tree in trees]


def body_queries(facts: Facts, body: str) -> list[Node]:
    """Return the parse trees of the statements of a body."""
    nodes = facts.reader.read_text(body)
    return nodes or facts.reader.read_text(body.removeprefix("(").removesuffix(")"))


def _query_of(facts: Facts, body: str) -> Node | None:
    nodes = body_queries(facts, body)
    last = nodes[-1] if nodes else None
    if last is None or last.kind != "QUERY" or last["commandType"] != kinds.Command.SELECT:
        return None
    return last
