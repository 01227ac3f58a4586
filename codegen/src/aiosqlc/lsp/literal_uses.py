"""Find the calls of the function that `sql("…")` returns for one literal."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path

from aiosqlc.inline.find import Literal, parsed, span_of
from aiosqlc.inline.scopes import calls_of
from aiosqlc.lsp.python_uses import Use, Wanted, uses_of
from aiosqlc.source import Span


def argument_uses(literal: Literal, argument: str, root: Path, roots: Iterable[Path]) -> list[Use]:
    """Return where the calls of a literal's function pass an argument.

    A use with a doubt is a place where the code uses the function without calling it.
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
        return [_use(literal, span_of(literal.file, made), "", "passes the function on")]
    calls = [call for call, _ in calls_of(tree, {target.id})]
    uses = [use for call in calls for use in _passed(literal, call, argument)]
    called = {call.func for call in calls}
    uses += [
        _use(literal, span_of(literal.file, node), "", f"uses `{target.id}` without a call")
        for node in above
        if isinstance(node, ast.Name) and node.id == target.id and node not in {target, *called}
    ]
    if not isinstance(above[user], ast.Module):
        return uses
    path = literal.file.path
    shown = path.relative_to(root) if path.is_relative_to(root) else Path(path.name)
    module = ".".join(shown.with_suffix("").parts)
    wanted = Wanted(((module, path),), frozenset({target.id}), argument)
    elsewhere = uses_of(wanted, roots)
    return uses + [use for use in elsewhere if use.name == argument or use.doubt]


def _target(node: ast.AST) -> ast.Name | None:
    """Return the one variable that a statement assigns to."""
    if isinstance(node, ast.Assign) and len(node.targets) == 1:
        [target] = node.targets
    elif isinstance(node, ast.AnnAssign):
        target = node.target
    else:
        return None
    return target if isinstance(target, ast.Name) else None


def _passed(literal: Literal, call: ast.Call, argument: str) -> Iterator[Use]:
    for keyword in call.keywords:
        start = span_of(literal.file, keyword).start
        if keyword.arg == argument:
            yield _use(literal, Span(start, start + len(argument)), argument)
        elif keyword.arg is None:
            yield _use(literal, Span(start, start + 2), "", "passes arguments with `**`")


def _use(literal: Literal, span: Span, name: str, doubt: str = "") -> Use:
    return Use(literal.file.path, literal.file, span, name, doubt)
