"""Books payments from a CSV file and shows balances.

Run it on a new database: aiosqlc serve -- python -m ledger import payments.csv
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import os
import sys
from collections.abc import Sequence
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import asyncpg

from ledger.store import ledger


async def book(db: Any, path: Path) -> int:
    """Book every line of a file, or none; return how many there were."""
    accounts: dict[str, int] = {}
    entries: list[ledger.CopyEntriesParams] = []
    async with db.transaction():
        with path.open(newline="", encoding="utf-8") as file:
            for line in csv.DictReader(file):
                name = line["account"]
                if name not in accounts:
                    accounts[name] = await ledger.account_named(db, name=name)
                entries.append(
                    ledger.CopyEntriesParams(
                        account_id=accounts[name],
                        amount=Decimal(line["amount"]),
                        made_on=date.fromisoformat(line["date"]),
                        note=line["note"] or None,
                    )
                )
        return await ledger.copy_entries(db, entries)


async def show(db: Any, name: str) -> None:
    """Print an account's entries, however many: rows come through a cursor, in chunks."""
    async with db.transaction(readonly=True):
        async for entry in ledger.entries(db, name=name):
            print(f"{entry.made_on}  {entry.amount:>12}  {entry.note or ''}".rstrip())


async def run(arguments: argparse.Namespace) -> int:
    """Do what was asked for."""
    db = await asyncpg.connect(os.environ["DATABASE_URL"])
    try:
        if arguments.command == "import":
            count = await book(db, arguments.file)
            print(f"{count} entries booked")
        if arguments.command == "show":
            await show(db, arguments.account)
            return 0
        for row in await ledger.balances(db):
            print(f"{row.name:20} {row.balance:>12} {row.entries:>6}")
    except (KeyError, ValueError, InvalidOperation) as error:
        print(f"nothing was booked: {error!r}", file=sys.stderr)
        return 1
    finally:
        await db.close()
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="ledger")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("import").add_argument("file", type=Path)
    commands.add_parser("balances")
    commands.add_parser("show").add_argument("account")
    return asyncio.run(run(parser.parse_args(arguments)))


if __name__ == "__main__":
    sys.exit(main())
