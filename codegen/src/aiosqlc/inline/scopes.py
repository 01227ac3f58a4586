"""Find the calls of imported names in Python code, except where a name is bound again."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_NAMED = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.ExceptHandler)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


def calls_of(tree: ast.Module, names: AbstractSet[str]) -> Iterator[tuple[ast.Call, str]]:
    """Yield each call of a name, in the order of the code.

    The second value is the name of the variable to which the result is assigned, or else the name
    of the function around the call. If a function binds the name again, for example as a parameter,
    calls in this function are left out.
    """
    stack: list[tuple[ast.AST, str, AbstractSet[str]]] = [(tree, "", names)]
    while stack:
        node, owner, known = stack.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            owner = node.name
        owner = _target(node) or owner
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in known:
            yield node, owner
        inner = known
        if isinstance(node, (*_FUNCTIONS, *_COMPREHENSIONS)):
            inner = known - bound(node)
        children = reversed(list(ast.iter_child_nodes(node)))
        stack += [(c, owner, known if _is_outside(node, c) else inner) for c in children]


def _target(node: ast.AST) -> str:
    """Return the name of the only variable that a statement assigns to, or ''."""
    targets: Sequence[ast.expr] = ()
    if isinstance(node, ast.Assign):
        targets = node.targets
    elif isinstance(node, ast.AnnAssign):
        targets = (node.target,)
    first = targets[0] if len(targets) == 1 else None
    return first.id if isinstance(first, ast.Name) else ""


def _is_outside(node: ast.AST, child: ast.AST) -> bool:
    """Return whether `child`, such as a decorator, is evaluated outside of the function `node`."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return child is node.args or child is node.returns or child in node.decorator_list
    return isinstance(node, ast.Lambda) and child is node.args


def bound(function: ast.AST) -> set[str]:
    """Return the names that a function or a comprehension binds in its own scope."""
    found: set[str] = set()
    shared: set[str] = set()
    stack = list(ast.iter_child_nodes(function))
    while stack:
        node = stack.pop()
        if isinstance(node, ast.arg):
            found.add(node.arg)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store | ast.Del):
            found.add(node.id)
        elif isinstance(node, ast.Global | ast.Nonlocal):
            shared |= set(node.names)
        elif isinstance(node, _NAMED):
            found.add(node.name or "")
        if not isinstance(node, (*_FUNCTIONS, ast.ClassDef, *_COMPREHENSIONS)):
            stack += ast.iter_child_nodes(node)
    return found - shared
