"""Check whether code that was generated for one type works with another type."""

from __future__ import annotations

from aiosqlc.ir import SqlType, TypeKind

_INTEGERS = ("int2", "int4", "int8")
_TEXTS = ("varchar", "text")
_FAMILIES = (_INTEGERS, _TEXTS, ("float4", "float8"))


def reads_as(promised: SqlType, found: SqlType) -> bool:
    """Return whether code that was generated for `promised` decodes every value of `found`."""
    promised, found = _below(promised), _below(found)
    if promised.array_dims != found.array_dims or promised.kind is not found.kind:
        return False
    if promised.kind is TypeKind.ENUM:
        return promised.name == found.name and set(found.labels) <= set(promised.labels)
    if promised.kind is TypeKind.COMPOSITE:
        return [name for name, *_ in promised.fields] == [
            name for name, *_ in found.fields
        ] and all(
            reads_as(a, b) and (null_a or not null_b)
            for (_, a, null_a), (_, b, null_b) in zip(promised.fields, found.fields, strict=True)
        )
    if promised.base is not None and found.base is not None:
        return promised.name == found.name and reads_as(promised.base, found.base)
    return promised.name == found.name or any(
        promised.name in family and found.name in family for family in _FAMILIES
    )


def takes(found: SqlType, passed: SqlType) -> bool:
    """Return whether a parameter of type `found` accepts every value of `passed`."""
    if found.array_dims != passed.array_dims:
        return False
    if found.kind is TypeKind.DOMAIN or passed.kind is TypeKind.DOMAIN:
        # The conditions of a domain are not compared: only the same domain, or its base type, is
        # accepted.
        return found == passed or (
            found.kind is not TypeKind.DOMAIN and takes(found, _below(passed))
        )
    if found.kind is TypeKind.ENUM:
        return found.name == passed.name and set(passed.labels) <= set(found.labels)
    for family in _FAMILIES:
        if found.name in family and passed.name in family:
            return family.index(found.name) >= family.index(passed.name) and _fits(found, passed)
    return (found.name, found.kind, found.fields) == (
        passed.name,
        passed.kind,
        passed.fields,
    ) and _fits(found, passed)


def _fits(found: SqlType, passed: SqlType) -> bool:
    if found.length is not None and (passed.length is None or passed.length > found.length):
        return False
    return found.precision is None or (found.precision, found.scale) == (
        passed.precision,
        passed.scale,
    )


def _below(kind: SqlType) -> SqlType:
    """Return the base type of a domain, which is the type that a driver decodes."""
    while kind.kind is TypeKind.DOMAIN and kind.base is not None and not kind.array_dims:
        kind = kind.base
    return kind
