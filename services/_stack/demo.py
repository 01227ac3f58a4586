"""The demo administrator: made with a random password, and a ready-made request in their name."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from services._stack.settings import ROOT, Settings
from services._stack.supervisor import StartError

EMAIL: Final = "admin@example.com"
_SECRET: Final = "demo_admin"  # noqa: S105 - the name of a file


class Administrator(msgspec.Struct, frozen=True):
    """There is one; the password is told when it is new, and never again."""

    password: str | None


async def administrator(settings: Settings, databases: Mapping[str, str]) -> Administrator | None:
    """Add the administrator; None for a database that the user brought along: it stays as it is.

    Raises StartError.
    """
    if "user" not in databases or settings.environ.get("USER_DATABASE_URL"):
        return None
    password = settings.home.secret(_SECRET)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "services.user.admin", EMAIL, "--name", "Demo Admin"),
        cwd=ROOT,
        env={**settings.environ, "USER_DATABASE_URL": databases["user"]},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        said, complaints = await process.communicate(password.encode())
    except asyncio.CancelledError:
        process.kill()
        await process.wait()
        raise
    if process.returncode:
        reason = " ".join(complaints.decode(errors="replace").split()[-30:])
        raise StartError(f"the demo administrator cannot be added: {reason}")
    return Administrator(password if said.split()[-1:] == [b"added"] else None)


def introduce(found: Administrator | None, settings: Settings, say: Callable[[str], None]) -> None:
    """Say who the administrator is, once with the password, and how to ask in their name."""
    if found is None:
        return
    if found.password is not None:
        say(f"demo administrator: {EMAIL} with the password {found.password}")
    say("a request in the name of the demo administrator:\n\n" + request(settings))


def request(settings: Settings) -> str:
    """Return commands for a shell: sign in with the kept password, then ask for the people."""
    users = f"{settings.gateway_url}/api/users/v1"
    secret = settings.home.path / "secrets" / _SECRET
    curl = f"curl --cacert {settings.tls.certificate}" if settings.tls else "curl"
    body = f'{{"email":"{EMAIL}","password":"\'"$(cat {secret})"\'"}}'
    return (
        f"  TOKEN=$({curl} -s {users}/auth/login -H 'Content-Type: application/json' -d '{body}'"
        r""" | sed 's/.*"access_token":"\([^"]*\)".*/\1/')"""
        f'\n  {curl} -H "Authorization: Bearer $TOKEN" {users}/users'
    )
