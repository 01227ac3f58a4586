"""The databases of the stack: one per folder of migrations, each with its own role and secret."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg

from devstack.embedded.home import Home
from devstack.embedded.postgres import ensure_database
from devstack.settings import ROOT
from devstack.supervisor import StartError
from lib.db import migrations
from lib.db.grants import role_of


def ready(home: Home, environ: Mapping[str, str], root: Path = ROOT) -> dict[str, str]:
    """Create, migrate and fill the databases if necessary; return the services' URLs by database.

    If `<DB>_DATABASE_URL` names a database, only its migrations are applied, without demo data. If
    the database is behind a pooler, `<DB>_DATABASE_DIRECT_URL` is its address for the migrations.
    Raises StartError, which names the database and the problem.
    """
    folder = root / "migrations"
    names = migrations.databases(folder)

    def one(db: str) -> str:
        given = environ.get(f"{db.upper()}_DATABASE_URL")
        try:
            url = environ.get(f"{db.upper()}_DATABASE_DIRECT_URL") or given or owned(home, db)
            # No service runs, so privileges that only the previous version needs are revoked.
            migrations.apply(
                url, migrations.source(folder, db, url), db=db, demo=not given, only=not given
            )
        except migrations.MigrationError as error:
            raise StartError(f"cannot migrate the database {db}: {error}") from error
        except psycopg.Error as error:
            why = " ".join(str(error).split())
            raise StartError(f"cannot create the database {db}: {why}") from error
        return given or entered(home, db)

    with ThreadPoolExecutor(max_workers=4) as pool:
        return dict(zip(names, pool.map(one, names), strict=True))


def owned(home: Home, db: str) -> str:
    """Create the database if it is missing; return the URL for its owner, the migrating role."""
    return ensure_database(
        home.postgres_instance(),
        db,
        password=home.secret(f"{db}_database"),
        service=home.secret(f"{db}_service_database"),
    )


def entered(home: Home, db: str) -> str:
    """Return the URL with which a service connects to its database.

    The service's role has only the privileges that its queries need.
    """
    secret = home.secret(f"{db}_service_database")
    return home.postgres_instance().url(db, user=role_of(db), password=secret)
