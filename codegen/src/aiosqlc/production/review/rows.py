"""The table rows of a review. A row describes a change and its effect in a few words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from msgspec import Struct

from aiosqlc.diagnostics import Diagnostic, Severity
from aiosqlc.production.migrations.check import Checked
from aiosqlc.production.migrations.findings import count, danger
from aiosqlc.production.recorded.changes import QueryChange, by_query
from aiosqlc.production.review.model import EntryReview
from aiosqlc.production.review.privileges import privileges
from aiosqlc.production.review.verdict import of_entry
from aiosqlc.source import SourceFile

_MOST = 6  # rows of one kind; the details contain all of them
_MOST_NAMES = 4


class Row(Struct, frozen=True):
    """A change and its effects; if `is_name` is true, `what` is a name, and is shown as code.

    `more` is a text after the name. The `mark` is `error`, `warning`, `order` (the change is safe
    only in the stated order), or empty.
    """

    what: str
    effects: tuple[str, ...]
    mark: str = ""
    is_name: bool = True
    more: str = ""


def rows(entry: EntryReview) -> Iterator[Row]:
    """Yield the rows of an entry, the most important first."""
    errors = [item for item in of_entry(entry) if item.severity is Severity.ERROR]
    yield from _few([Row(_where(item), (item.message,), "error") for item in errors])
    for checked in entry.migrations:
        yield _migration(checked)
    yield from _few(list(_broken(entry)))
    if entry.order and entry.order.waiting and entry.order.safe:
        number = count(len(entry.order.waiting), "query")
        yield Row(number, ("run the migration first",), "order", is_name=False)
    changed = by_query(c for c in entry.plans.changes if c.before and c.after)
    yield from _few([_plan(one) for one in changed if one.worse])
    yield from _few([_plan(one) for one in changed if not one.worse])
    for verb, rights in (("needs", entry.grants.added), ("no longer needs", entry.grants.removed)):
        shown = _shortened(privileges(rights, entry.grants))
        if shown:
            yield Row("database role", tuple(f"{verb} {one}" for one in shown), is_name=False)
    yield from _few([Row(_where(item), (item.message,), "warning") for item in entry.advice])


def short(place: str) -> str:
    """Return the last part of a path with the query: `people.sql:GetPerson`."""
    return place.rpartition("/")[2]


def named(file: SourceFile) -> str:
    """Return the name of a migration; for some tools this is the name of its folder."""
    path = file.path
    return path.parent.name if path.name in {"migration.sql", "up.sql"} else path.name


def _migration(checked: Checked) -> Row:
    seen = checked.seen
    name = named(seen.file.file)
    if seen.failures:
        return Row(name, ("fails",), "error")
    if checked.reason:
        return Row(name, (f"the migration declares its locks acceptable: {checked.reason}",))
    messages = _counted([item.message for item in checked.findings if item.code != "M008"])
    waiting = {query for one in seen.statements if danger(one) for query in one.waiting}
    tables = dict.fromkeys(held.relation.table for one in seen.statements for held in one.stopping)
    if messages and waiting:
        messages.append(f"{count(len(waiting), 'query')} would wait")
    if messages:
        return Row(name, tuple(messages), "warning")
    if tables:
        return Row(name, (f"locks {', '.join(tables)} for a moment",))
    return Row(name, ("takes no lock that queries wait for",))


def _plan(change: QueryChange) -> Row:
    worse = [one for one in change.changes if one.worse]
    alike = [one for one in change.changes if not one.worse]
    effects = []
    if worse:
        joined = QueryChange(change.query, tuple(worse))
        effects.append(f"new plan{_of_texts(joined)}: {' and '.join(joined.worse)}")
    if alike:
        joined = QueryChange(change.query, tuple(alike))
        effects.append(f"plan{_of_texts(joined)}: {', '.join(joined.summary[:2])}")
    return Row(short(change.query), tuple(effects), "warning" if worse else "")


def _of_texts(change: QueryChange) -> str:
    """Return the number of SQL texts whose plan changed, as text; '' for a query with one text."""
    return f" of {count(len(change.texts), 'text')}" if any(change.texts) else ""


def _broken(entry: EntryReview) -> Iterator[Row]:
    """Yield a row for each reason why deployed queries fail, with the names of these queries."""
    order = entry.order
    if order is None:
        return
    grouped: dict[tuple[str, str], list[str]] = {}
    for one in order.broken:
        after = f"after {named(one.migration)}" if one.migration else "on the new schema"
        reason = one.reason.removeprefix("fails: ")
        grouped.setdefault((after, reason), []).append(short(one.query))
    for (after, reason), names in grouped.items():
        more = f" and {len(names) - 1} more" if len(names) > 1 else ""
        mark = "order" if order.safe else "warning"
        yield Row(names[0], (f"{after}: {reason}",), mark, more=f"{more}, deployed")


def _counted(messages: Sequence[str]) -> list[str]:
    """Return the distinct messages, with the number of statements if several have the message."""
    return [
        f"{message} ({number} statements)" if number > 1 else message
        for message, number in Counter(messages).items()
    ]


def _where(item: Diagnostic) -> str:
    if not item.labels:
        return "the project"
    label = item.labels[0]
    return f"{named(label.file)}:{label.file.line_col(label.span.start)[0]}"


def _few(found: Sequence[Row]) -> Iterator[Row]:
    yield from found[:_MOST]
    if len(found) > _MOST:
        yield Row(f"{len(found) - _MOST} more", ("see the details",), found[-1].mark, is_name=False)


def _shortened(shown: list[str]) -> list[str]:
    more = len(shown) - _MOST_NAMES
    return [*shown[:_MOST_NAMES], *([f"{more} more privileges"] if more > 0 else [])]
