"""Delete accounts again after a restore: `python -m services.user.erase_again < LIST`.

A line of the list is `id|time of deletion`, as in docs/backups.md. You can run this program again.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Iterable, Mapping
from datetime import datetime
from uuid import UUID

from pydantic_settings import SettingsConfigDict

from lib.config import ConfigError, PostgresSettings, load
from lib.db.postgres import open_database
from lib.errors import AppError, StartError
from services.user.service import deletion


class EraseConfig(PostgresSettings):
    """The setting `USER_DATABASE_URL`, with the same value as for the service."""

    model_config = SettingsConfigDict(env_prefix="USER_")


def read(lines: Iterable[str]) -> Mapping[UUID, datetime]:
    """Return the time of deletion of each account.

    Raises:
        ValueError: at the first invalid line, which the message names; no deletion is repeated
            then.
    """
    found: dict[UUID, datetime] = {}
    for number, line in enumerate(lines, 1):
        account_id, _, deleted_at = line.strip().partition("|")
        try:
            when = datetime.fromisoformat(deleted_at)
            if when.tzinfo is None:
                raise ValueError("the time has no time zone")
            found[UUID(account_id)] = when
        except ValueError:
            raise ValueError(f"line {number} is not `id|time of the deletion`") from None
    return found


async def repeat(deleted: Mapping[UUID, datetime]) -> int:
    """Delete each account again. Return how many accounts the restored database still had."""
    async with open_database(load(EraseConfig), application="user-erase-again") as db:
        done = [await deletion.erase_again(db, *one) for one in sorted(deleted.items())]
    return sum(done)


def main(argv: list[str]) -> int:
    """Return the exit code: 0 success, 1 failure, 2 wrong usage."""
    parser = argparse.ArgumentParser(
        prog="python -m services.user.erase_again", description=__doc__
    )
    parser.parse_args(argv)
    try:
        deleted = read(sys.stdin)
        again = asyncio.run(repeat(deleted))
    except (ValueError, ConfigError, StartError, AppError) as error:
        print(error, file=sys.stderr)
        return 1
    print(
        f"{len(deleted)} deletions repeated; {again} of these accounts were in the restored "
        "database and are deleted now"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
