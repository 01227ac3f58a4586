"""The scripts of stub extensions, and shorthand for their common parts.

A line `@type t, …` defines a type with text values. A line `@ordered t, …` defines the comparison
operators of the type `t`, which compare the values as text. Each line between `@functions` and
`@null …` or `@empty …` is the signature of a function with its result type.
"""

from __future__ import annotations

import importlib.resources
import re
from collections.abc import Iterator

_AS_TEXT = "language internal immutable strict parallel safe as 'text{}'"
_LIST = """\
do $$
declare f text[];
begin
    foreach f slice 1 in array array["""
_END = """\
    ] loop
        execute format('create function %s returns {returns}', f[1], f[2]);
    end loop;
end $$;"""
_ORDER = {"eq": "=", "ne": "<>", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}
_COMMUTED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
_NEGATED = {"=": "<>", "<>": "=", "<": ">=", "<=": ">", ">": "<=", ">=": "<"}
_TYPE = f"""\
create type {{t}};
create function {{t}}_in(cstring) returns {{t}} {_AS_TEXT.format("in")};
create function {{t}}_out({{t}}) returns cstring {_AS_TEXT.format("out")};
create function {{t}}_recv(internal) returns {{t}} language internal stable strict parallel safe as
    'textrecv';
create function {{t}}_send({{t}}) returns bytea language internal stable strict parallel safe as
    'textsend';
create type {{t}} (input = {{t}}_in, output = {{t}}_out, receive = {{t}}_recv, send = {{t}}_send,
    internallength = variable, storage = extended{{more}});"""
_SHORT = re.compile(r"^@(\w+) ?(\w*)(.*)$", re.MULTILINE)


def names() -> Iterator[str]:
    """Yield the extensions that have a script."""
    for script in importlib.resources.files("aiosqlc.postgres.extensions").iterdir():
        if script.name.endswith(".sql"):
            yield script.name.removesuffix(".sql")


def script_of(extension: str) -> str | None:
    """Return the SQL of an extension's stub, or None if there is none."""
    folder = importlib.resources.files("aiosqlc.postgres.extensions")
    script = folder.joinpath(f"{extension}.sql")
    return _SHORT.sub(_written_out, script.read_text("utf-8")) if script.is_file() else None


def _written_out(short: re.Match[str]) -> str:
    word, name, more = short.groups()
    match word:
        case "type":
            return _TYPE.format(t=name, more=more)
        case "ordered":
            return "\n".join(_ordered(name, more))
        case "functions":
            return _LIST
        case "null":
            returns = f"%s language sql {name}{more} strict parallel safe return null::%2$s"
            return _END.format(returns=returns)
        case _:
            returns = f"setof %s language plpgsql {name}{more} as ''begin return; end''"
            return _END.format(returns=returns)


def _ordered(t: str, equality: str) -> Iterator[str]:
    """Define the comparison operators of a type; `equality` completes the definition of `=`."""
    for name, sign in _ORDER.items():
        function = "texteq" if sign == "=" else "textne" if sign == "<>" else f"text_{name}"
        yield (
            f"create function {t}_{name}({t}, {t}) returns boolean language internal immutable"
            f" strict parallel safe as '{function}';\n"
            f"create operator {sign} (leftarg = {t}, rightarg = {t}, function = {t}_{name},"
            f" commutator = {_COMMUTED.get(sign, sign)}, negator = {_NEGATED[sign]}"
            f"{equality if sign == '=' else ''});"
        )
    yield (
        f"create function {t}_cmp({t}, {t}) returns integer language internal immutable strict"
        " parallel safe as 'bttextcmp';\n"
        f"create operator class {t}_ops default for type {t} using btree as operator 1 <,"
        f" operator 2 <=, operator 3 =, operator 4 >=, operator 5 >, function 1 {t}_cmp({t}, {t});"
    )
