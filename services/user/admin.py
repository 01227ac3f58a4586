"""Add the first administrator: `python -m services.user.admin EMAIL`.

The program reads the password from standard input. It prints `added`; if the address is in use, it
prints `exists` and changes nothing.
"""

from __future__ import annotations

import argparse
import asyncio
import sys

import msgspec
from pydantic_settings import SettingsConfigDict

from lib.config import ConfigError, PostgresSettings, load
from lib.db import Database
from lib.db.errors import UniqueViolationError
from lib.db.postgres import open_database
from lib.errors import AppError, StartError
from lib.ids import new_id
from services.user.model.account import Email, Name, NewPassword
from services.user.model.common_passwords import is_common
from services.user.passwords import Passwords
from services.user.service import audit
from services.user.store import accounts, profiles
from services.user.store.models import AccountRole

NAME = "Admin"
_ACTOR = "operator"


class AdminConfig(PostgresSettings):
    """`USER_DATABASE_URL`."""

    model_config = SettingsConfigDict(env_prefix="USER_")


async def add(
    db: Database, passwords: Passwords, email: str, password: str, *, name: str = NAME
) -> bool:
    """Add a verified administrator, and return whether the address was free.

    If the name has several words, the last word becomes the last name.
    """
    first, _, last = name.rpartition(" ")
    password_hash = await passwords.hash(password)
    account_id = new_id()
    try:
        async with db.transaction() as tx:
            await accounts.add_account(
                tx,
                id=account_id,
                email=email,
                first_name=first or last,
                last_name=last if first else "",
                phone_number=None,
                password_hash=password_hash,
                role=AccountRole.ADMIN,
                created_by=_ACTOR,
            )
            await profiles.set_verified(tx, id=account_id)
            await audit.record(
                tx, "account.added", account_id, actor=_ACTOR, role=AccountRole.ADMIN
            )
    except UniqueViolationError:
        return False
    return True


async def _run(email: str, password: str, name: str) -> bool:
    config = load(AdminConfig)
    async with open_database(config, application="user-admin") as db:
        with Passwords(threads=1) as passwords:
            return await add(db, passwords, email, password, name=name)


def main(argv: list[str]) -> int:
    """Return the exit code: 0 administrator exists, 1 failure, 2 wrong usage."""
    parser = argparse.ArgumentParser(prog="python -m services.user.admin", description=__doc__)
    parser.add_argument("email")
    parser.add_argument("--name", default=NAME, help=f"name of the administrator (default: {NAME})")
    arguments = parser.parse_args(argv)
    email, name = arguments.email, " ".join(arguments.name.split())
    password = sys.stdin.readline().rstrip("\n")
    for what, value, kind in (
        ("address", email, Email),
        ("password", password, NewPassword),
        ("name", name, Name),
    ):
        try:
            msgspec.convert(value, kind)
        except msgspec.ValidationError:
            print(f"the value is not a valid {what}", file=sys.stderr)
            return 2
    if is_common(password, [email]):
        print("this password is too common", file=sys.stderr)
        return 2
    try:
        added = asyncio.run(_run(email, password, name))
    except (ConfigError, StartError, AppError) as error:
        print(error, file=sys.stderr)
        return 1
    print("added" if added else "exists")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
