"""Find the calls of the function that `sql("…")` returns for one literal."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from aiosqlc.inline.find import Literal, parsed, span_of
from aiosqlc.inline.scopes import bound, calls_of
from aiosqlc.lsp.python_uses import Use, Wanted, uses_in, uses_of
from aiosqlc.source import Span

_Function = ast.FunctionDef | ast.AsyncFunctionDef
_Binding = (
    ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.ExceptHandler | ast.alias | ast.arg
    | ast.MatchAs | ast.MatchStar | ast.MatchMapping
)  # fmt: skip


def argument_uses(literal: Literal, argument: str, root: Path, roots: Iterable[Path]) -> list[Use]:
    """Return the positions at which calls of a literal's function pass the argument `argument`.

    A use with a `doubt` is code that uses the function without calling it, or that hides its calls.
    """
    tree = parsed(literal.file)
    if not isinstance(tree, ast.Module):
        return [_use(literal, literal.span, "", "is not valid Python")]
    above = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
    calls = [node for node in above if isinstance(node, ast.Call) and node.args]
    made = next(call for call in calls if span_of(literal.file, call.args[0]) == literal.span)
    user = above[made]
    if isinstance(user, ast.Call) and user.func is made:
        return list(_passed(literal, user, argument))
    if isinstance(user, ast.Expr):
        return []
    target = _target(user)
    if target is None:
        return [_use(literal, span_of(literal.file, made), "", "passes the function to other code")]
    scope = _scope(user, target.id, above)
    if isinstance(scope, ast.ClassDef):
        return [_use(literal, literal.span, "", f"is assigned in the class `{scope.name}`")]
    uses = list(_here(literal, target, scope, argument))
    if not isinstance(scope, ast.Module):
        return uses
    path = literal.file.path
    shown = path.relative_to(root) if path.is_relative_to(root) else Path(path.name)
    module = ".".join(shown.with_suffix("").parts)
    wanted = Wanted(((module, path),), frozenset({target.id}), argument)
    elsewhere = [*uses_in(literal.file, tree, wanted), *uses_of(wanted, roots)]
    return uses + [use for use in elsewhere if use.name == argument or use.doubt]


def _target(node: ast.AST) -> ast.Name | None:
    """Return the variable that a statement assigns to, or None if it is not exactly one."""
    if isinstance(node, ast.Assign) and len(node.targets) == 1:
        [target] = node.targets
    elif isinstance(node, ast.AnnAssign):
        target = node.target
    else:
        return None
    return target if isinstance(target, ast.Name) else None


def _scope(
    node: ast.AST, name: str, above: Mapping[ast.AST, ast.AST]
) -> ast.Module | ast.ClassDef | _Function:
    """Return the module, class or function to which the variable `name` of a statement belongs."""
    in_function = False
    while not isinstance(node := above[node], ast.Module):
        if isinstance(node, _Function):
            if name in bound(node):  # and not declared as global
                return node
            in_function = True
        elif isinstance(node, ast.ClassDef) and not in_function:
            return node
    return node


def _here(
    literal: Literal, target: ast.Name, scope: ast.Module | _Function, argument: str
) -> Iterator[Use]:
    """Yield the uses of a variable's name in the scope that assigns the variable."""
    name, body = target.id, ast.Module(scope.body, [])
    called = set[ast.expr]()
    for call, _ in calls_of(body, {name}):
        called.add(call.func)
        yield from _passed(literal, call, argument)
    for node in ast.walk(body):
        if isinstance(node, ast.Name) and node.id == name and node not in {target, *called}:
            read = isinstance(node.ctx, ast.Load)
            doubt = f"uses `{name}` without a call" if read else _another(name)
            yield _use(literal, span_of(literal.file, node), "", doubt)
    for other in _others(scope):
        if _bound_by(other) == name:
            yield _use(literal, span_of(literal.file, other), "", _another(name))


def _another(name: str) -> str:
    return f"gives `{name}` another meaning"


def _others(scope: ast.Module | _Function) -> Iterator[_Binding]:
    """Yield the nodes that bind names in a scope, except assignments and nodes in inner scopes."""
    stack: list[ast.AST] = list(scope.body)
    if not isinstance(scope, ast.Module):
        stack.append(scope.args)
    while stack:
        node = stack.pop()
        if isinstance(node, _Binding):
            yield node
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
            stack += ast.iter_child_nodes(node)


def _bound_by(node: _Binding) -> str | None:
    """Return the name that a definition, import, parameter, handler or pattern binds."""
    if isinstance(node, ast.arg):
        return node.arg
    if isinstance(node, ast.MatchMapping):
        return node.rest
    if isinstance(node, ast.alias):
        return node.asname or node.name.partition(".")[0]
    return node.name


def _passed(literal: Literal, call: ast.Call, argument: str) -> Iterator[Use]:
    for keyword in call.keywords:
        start = span_of(literal.file, keyword).start
        if keyword.arg == argument:
            yield _use(literal, Span(start, start + len(argument)), argument)
        elif keyword.arg is None:
            yield _use(literal, Span(start, start + 2), "", "passes arguments with `**`")


def _use(literal: Literal, span: Span, name: str, doubt: str = "") -> Use:
    return Use(literal.file.path, literal.file, span, name, doubt)
