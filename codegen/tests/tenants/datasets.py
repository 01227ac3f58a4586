"""Random data sets. Those of a group differ only in the rows of other tenants."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random

from tests.tenants.tables import TABLES

_ROWS = 4
_KNOWN = 2  # rows of country and of person that are the same in each data set
_LACKING = 0.15  # the share of NULL among the values that may be NULL
Rows = dict[str, list[tuple[int | None, ...]]]


def group(random: Random, variants: int) -> list[Rows]:
    """Return data sets with the same rows of tenant 1. The first one has no other tenant's rows."""
    known = _known(random)
    own = _owned(random, known, (1,), 0)
    found = []
    for variant in range(variants):
        rows = {name: [*known[name], *own[name]] for name in TABLES}
        if variant:
            for name, beside in _others(random, known).items():
                rows[name] += beside
        found.append(rows)
    return found


def shuffled(rows: Rows, random: Random) -> Rows:
    """Return the same rows in another order."""
    return {name: random.sample(stored, len(stored)) for name, stored in rows.items()}


def script(rows: Rows) -> str:
    """Return the statements that insert the rows into empty tables."""
    return "".join(_script(rows))


def _known(random: Random) -> Rows:
    """Return the rows that all tenants may read."""
    rows: Rows = {name: [] for name in TABLES}
    for name, table in TABLES.items():
        if table.known:
            rows[name] = [(number, _small(random)) for number in range(_KNOWN)]
    return rows


def _others(random: Random, known: Rows) -> Rows:
    """Return rows of other tenants, with odd numbers, and the persons that only these refer to."""
    persons = [(_KNOWN + number, _small(random)) for number in range(2)]
    beside = {**known, "person": [*known["person"], *persons]}
    return {**_owned(random, beside, (2, 2, 3, None), 1), "person": persons}


def _owned(random: Random, known: Rows, tenants: Sequence[int | None], first: int) -> Rows:
    """Return rows of tenants, whose references stay within one tenant or lead to known rows.

    Their numbers start with `first`, which is 0 for tenant 1, and have the step 2.
    """
    rows: Rows = {name: [] for name in TABLES}
    rows["org"] = [(tenant, _small(random)) for tenant in sorted({t for t in tenants if t})]
    owners = {("org", row[0]): row[0] for row in rows["org"]}
    for name, table in TABLES.items():
        if table.known or name == "org" or (table.foreign and not first):
            continue
        for at in range(_ROWS):
            owner = random.choice(tenants)
            if table.required and owner is None:
                owner = 2
            row: dict[str, int | None] = {"id": first + 2 * at, "tenant_id": owner}
            if table.clashing:
                row["id"] = 2 * at
            row["n"] = at % 3 if table.unique else _small(random)
            for column, other in table.refers.items():
                fitting = [r[0] for r in known[other]] or [
                    r[0] for r in rows[other] if owners[other, r[0]] == owner
                ]
                if table.loose:
                    fitting = list(range(2 * _ROWS))
                lacks = not fitting or random.random() < _LACKING
                row[column] = None if lacks else random.choice(fitting)
            row |= {source: row[column] for column, source in table.computed.items()}
            if table.unique and at == 3:
                row["n"] = None
            rows[name].append(tuple(row[column] for column in table.given))
            owners[name, row["id"]] = owner
    return rows


def _small(random: Random) -> int | None:
    return None if random.random() < _LACKING else random.randrange(3)


def _script(rows: Rows) -> Iterator[str]:
    for table, stored in rows.items():
        values = ", ".join(
            f"({', '.join('NULL' if v is None else str(v) for v in row)})" for row in stored
        )
        if values:
            columns = ", ".join(TABLES[table].given)
            yield f"INSERT INTO {table} ({columns}) VALUES {values};\n"
