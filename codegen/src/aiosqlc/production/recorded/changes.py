"""Compare the plans of two versions, and describe each difference in a few words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from msgspec import Struct

from aiosqlc.production.recorded.texts import TextName
from aiosqlc.production.recorded.tree import Step, amount, quoted

_NO_ACCESS = frozenset({"Insert", "Update", "Delete", "Merge", "CTE Scan", "WorkTable Scan"})
_TENFOLD = 2  # powers of ten between two rounded estimates that differ at least tenfold


class Change(Struct, frozen=True):
    """A change from an old to a new plan, and the SQL texts of one query that it affects.

    For a new query, `before` is None. For a removed query, `after` is None.
    """

    query: str
    texts: tuple[str, ...]
    before: Step | None
    after: Step | None

    @property
    def worse(self) -> tuple[str, ...]:
        """Return the reasons why the new plan is probably slower, or an empty tuple."""
        if self.before is None or self.after is None:
            return ()
        return tuple(_worse(self.before, self.after))

    @property
    def summary(self) -> tuple[str, ...]:
        """Return a short description of the change."""
        if self.before is None:
            return ("new",)
        if self.after is None:
            return ("removed",)
        return tuple(_summary(self.before, self.after)) or ("other estimates",)


class QueryChange(Struct, frozen=True):
    """The plan changes of one query; its SQL texts can have different changes."""

    query: str
    changes: tuple[Change, ...]

    @property
    def texts(self) -> tuple[str, ...]:
        """Return the names of the SQL texts whose plan changed; '' for a query with one text."""
        return tuple(text for change in self.changes for text in change.texts)

    @property
    def worse(self) -> tuple[str, ...]:
        """Return the reasons why a new plan is probably slower, each once."""
        return tuple(dict.fromkeys(reason for change in self.changes for reason in change.worse))

    @property
    def summary(self) -> tuple[str, ...]:
        """Return short descriptions of the changes, without duplicates."""
        return tuple(dict.fromkeys(words for change in self.changes for words in change.summary))


def by_query(changes: Iterable[Change]) -> list[QueryChange]:
    """Group the changes by query."""
    found: dict[str, list[Change]] = {}
    for change in changes:
        found.setdefault(change.query, []).append(change)
    return [QueryChange(query, tuple(some)) for query, some in found.items()]


def changes(before: Mapping[TextName, Step], after: Mapping[TextName, Step]) -> list[Change]:
    """Return the changed plans. Merge equal changes of several SQL texts of a query.

    If only the estimates differ, a plan has changed if they differ at least tenfold. Without
    estimates, the server's choice between two indexes is arbitrary. A plan has then changed only if
    it reads other tables completely.
    """
    grouped: dict[tuple[str, Step | None, Step | None], list[str]] = {}
    for name in sorted({*before, *after}):
        old, new = before.get(name), after.get(name)
        if old is None or new is None or differs(old, new):
            grouped.setdefault((name.query, old, new), []).append(name.parts)
    return [Change(key[0], tuple(texts), key[1], key[2]) for key, texts in grouped.items()]


def differs(old: Step, new: Step) -> bool:
    """Return whether two plans have different steps, or estimates that differ at least tenfold."""
    if old.rows is None or new.rows is None:
        return _scanned(old) != _scanned(new)
    if (_far(old.rows, new.rows) or _far(old.cost, new.cost)) or len(old.inner) != len(new.inner):
        return True
    if _form(old) != _form(new):
        return True
    return any(differs(one, other) for one, other in zip(old.inner, new.inner, strict=True))


def _scanned(plan: Step) -> set[str]:
    return {step.relation for step in plan.walk() if step.reads_all}


def _form(step: Step) -> tuple[object, ...]:
    return (step.kind, step.relation, step.indexes, step.condition, step.role, step.alike)


def _far(old: int | None, new: int | None) -> bool:
    return old is not None and new is not None and abs(new - old) >= _TENFOLD


def _worse(old: Step, new: Step) -> Iterator[str]:
    scanned = _scanned(old)
    for step in new.walk():
        if step.reads_all and step.relation not in scanned:
            scanned.add(step.relation)
            yield f"reads {quoted(step.relation)} from end to end"
    if old.cost is not None and new.cost is not None and new.cost - old.cost >= _TENFOLD:
        yield f"costs ~{amount(new.cost)} instead of ~{amount(old.cost)}"


def _summary(old: Step, new: Step) -> Iterator[str]:
    before, after = _accesses(old), _accesses(new)
    for relation in dict.fromkeys((*before, *after)):
        gone, added = before.get(relation, []), after.get(relation, [])
        shared = Counter(gone) & Counter(added)
        lost, won = _without(gone, shared), _without(added, shared)
        name = quoted(relation)
        if lost and won:
            yield f"{name}: {' + '.join(lost)} → {' + '.join(won)}"
        elif lost or won:
            yield ", ".join(
                [*(f"− {x} on {name}" for x in lost), *(f"+ {x} on {name}" for x in won)]
            )
    steps = Counter(s.kind for s in new.walk() if not _is_access(s))
    steps.subtract(Counter(s.kind for s in old.walk() if not _is_access(s)))
    changed = [f"{'+' if n > 0 else '−'} {kind}" for kind, n in sorted(steps.items()) if n]
    if changed:
        yield ", ".join(changed)
    if not changed and before.keys() == after.keys() and list(before) != list(after):
        yield f"order: {', '.join(before)} → {', '.join(after)}"
    elif not changed and before == after:
        pairs = list(zip(old.walk(), new.walk(), strict=False))
        for one, other in pairs:
            if one.condition != other.condition:
                yield f"{quoted(other.relation)}: {one.condition or '∅'} → {other.condition or '∅'}"
    if old.cost is not None and new.cost is not None and _far(old.cost, new.cost):
        yield f"cost ~{amount(old.cost)} → ~{amount(new.cost)}"


def _accesses(plan: Step) -> dict[str, list[str]]:
    """Map each table or index to the steps that read it, in the order of the plan."""
    found: dict[str, list[str]] = {}
    for step in plan.walk():
        if _is_access(step):
            found.setdefault(step.relation, []).append(step.access)
    return found


def _is_access(step: Step) -> bool:
    """Return whether a step reads a table, unlike a join, a write or a scan of a CTE's result."""
    return bool(step.relation) and step.kind not in _NO_ACCESS


def _without(accesses: list[str], shared: Counter[str]) -> list[str]:
    rest = Counter(accesses) - shared
    return sorted(rest.elements())
