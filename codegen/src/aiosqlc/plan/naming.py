"""Convert SQL names to Python names."""

from __future__ import annotations

import keyword
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache

from aiosqlc.config.project import ModelKind
from aiosqlc.plan.scope import CLASSES, FUNCTIONS, MODULES

# A word may contain capitals or end with a plural `s`: `OAuth`, `IDs`.
_CASES = re.compile(
    r"OAuth\d?|GitHub|GitLab|GraphQL|MySQL|PostgreSQL|YouTube|LinkedIn|PayPal|WhatsApp|IPv[46]"
    r"|[A-Z]{2,}s(?![a-z])|[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z0-9]+|[A-Z]+|[0-9]+"
)


def words(name: str) -> list[str]:
    """Split a name of any style into words: `GetHTTPUser`, `get_http_user`."""
    parts = re.split(r"[\W_]+", unicodedata.normalize("NFKC", name))
    found = (_CASES.findall(part) if part.isascii() else [part] for part in parts)
    return [word for part in found for word in part]


def snake(name: str) -> str:
    """Return the name of a function or module: `GetUser` → `get_user`.

    A name of underscores only gets an `n` in front: `_` becomes `n_`.
    """
    return "_".join(word.lower() for word in words(name)) or "n_"


def constant(name: str) -> str:
    """Return the name of a constant: `GetUser` → `GET_USER`."""
    found = snake(name).upper()
    return found if found.isidentifier() else f"N{found}"


def camel(name: str) -> str:
    """Return the name of a class: `point_entry` → `PointEntry`, `2nd_try` → `N2ndTry`.

    A name in capitals is also split into words: `POINT_ENTRY` → `PointEntry`.
    """
    name = name.lower() if name.isupper() else name
    found = "".join(word[:1].upper() + word[1:] for word in words(name))
    if not found.isidentifier():
        found = f"N{found}" if found and f"N{found}".isidentifier() else "Unnamed"
    return f"{found}_" if keyword.iskeyword(found) else found


_IRREGULAR = {"people": "person", "men": "man", "women": "woman", "children": "child"}
_SAME = frozenset({"series", "species", "news", "data", "media", "metadata", "staff", "status"})


def singular(name: str) -> str:
    """Return the singular of a table's name, guessed from its ending."""
    name = name.lower() if name.isupper() else name
    head, _, last = name.rpartition("_")
    prefix = f"{head}_" if head else ""
    if last in _SAME:
        return name
    if last in _IRREGULAR:
        return prefix + _IRREGULAR[last]
    if last.endswith("ies") and len(last) > 4:
        return prefix + last[:-3] + "y"
    if last.endswith(("sses", "shes", "ches", "xes", "zes")):
        return prefix + last[:-2]
    if last.endswith("s") and last != "s" and not last.endswith(("ss", "us", "is")):
        return prefix + last[:-1]
    return name


def identifier(name: str) -> str:
    """Return a valid Python name close to a column or parameter name; keywords get a `_`."""
    if name.isidentifier():
        found = name
    else:
        found = "_".join(re.findall(r"\w+", unicodedata.normalize("NFKC", name)))
        if not found or found[0].isdigit():
            found = f"n{found}" if found else "_"
        if not found.isidentifier():
            found = "_"
    found = unicodedata.normalize("NFKC", found)  # the normalization that Python applies to names
    return f"{found}_" if keyword.iskeyword(found) or found == "__debug__" else found


def _without_front(name: str) -> str:
    bare = name.lstrip("_")
    return identifier(bare) + "_" * (len(name) - len(bare)) if bare else f"n{name}"


# Attributes of a pydantic model. Names such as `model_config` are detected by their prefix.
_MODEL_HAS = frozenset(
    {
        "construct", "copy", "dict", "from_orm", "json", "parse_file", "parse_obj", "parse_raw",
        "schema", "schema_json", "update_forward_refs", "validate", "model_computed_fields",
        "model_config", "model_construct", "model_copy", "model_extra", "model_fields",
        "model_fields_set", "model_json_schema", "model_parametrized_name", "model_post_init",
        "model_rebuild",
    }
)  # fmt: skip
MODEL_BEGINNINGS = ("model_dump", "model_validate")
"""The beginnings of attributes about which pydantic warns."""


def attribute(name: str, kind: ModelKind) -> str:
    """Return the attribute name for a column in a row class; names of the library get a `_`.

    Leading underscores move to the end, because they would make the attribute private.
    """
    found = argument(name)
    found = _without_front(found) if found.startswith("_") else found
    taken = kind is ModelKind.PYDANTIC and (
        found in _MODEL_HAS or found.startswith(MODEL_BEGINNINGS)
    )
    return f"{found}_" if taken or found == _BY_KIND.get(kind) else found


# A method that a dataclass treats as a default; in attrs, `self` is a parameter.
_BY_KIND = {ModelKind.DATACLASS: "mro", ModelKind.ATTRS: "self"}


def argument(name: str) -> str:
    """Return the name of a parameter in snake case.

    In a class, Python mangles names with two leading underscores, so these move to the end.
    """
    plain = name.isidentifier() and name == name.lower()
    found = identifier(name if plain else snake(name))
    return _without_front(found) if found.startswith("__") else found


def class_name(name: str) -> str:
    """Return the class name for a table or type; a name that is already used gets a final `_`."""
    found = camel(name)
    return f"{found}_" if found in CLASSES else found


def labels_table(enum: str) -> str:
    """Return the name of an enum's table of labels: `Mood` → `MOOD_BY_LABEL`."""
    return f"{constant(enum)}_BY_LABEL"


@lru_cache(maxsize=20_000)
def function_name(name: str) -> str:
    """Return the function name for a query; a name that its module needs gets a final `_`."""
    found = identifier(snake(name))
    return f"{found}_" if found in FUNCTIONS else found


def module_name(file: str) -> str:
    """Return the module name for a query file; the name of a package file gets a final `_`."""
    found = identifier(snake(file.removesuffix(".sql")))
    return f"{found}_" if found in MODULES else found


def member(label: str) -> str:
    """Return the name of an enum member for its label: `in progress` → `IN_PROGRESS`.

    Symbols are spelled out only if a label has nothing else: `<=` → `LESS_THAN_EQUALS`.
    """
    parts = words(label)
    return _member(parts) if parts or not label else spelled_member(label)


def spelled_member(label: str) -> str:
    """Return the name of an enum member with its symbols as words: `A+` → `A_PLUS`."""
    return _member(words(_SIGN.sub(_spelled, unicodedata.normalize("NFKC", label))))


def _member(parts: Sequence[str]) -> str:
    found = "_".join(word.upper() for word in parts) or "EMPTY"
    if not found.isidentifier():
        found = f"N{found}" if f"N{found}".isidentifier() else "Unnamed"
    return f"{found}_" if keyword.iskeyword(found) else found


_SIGN = re.compile(r"\W")


def _spelled(sign: re.Match[str]) -> str:
    name = unicodedata.name(sign[0], f"U{ord(sign[0]):04X}")
    return f" {name.removesuffix(' SIGN').replace('-SIGN', '')} "


def members(labels: Sequence[str]) -> tuple[str, ...]:
    """Return distinct names for the members of an enum.

    If two labels would have the same name, their symbols are spelled out. If the names are still
    equal, they are numbered.
    """
    plain = [member(label) for label in labels]
    shared = {name for name, count in Counter(plain).items() if count > 1}
    pairs = zip(plain, labels, strict=True)
    wanted = [spelled_member(label) if name in shared else name for name, label in pairs]
    found: dict[str, None] = {}
    for name in wanted:
        free, number = name, 1
        while free in found or (number > 1 and free in wanted):
            number += 1
            free = f"{name}_{number}"
        found[free] = None
    return tuple(found)
