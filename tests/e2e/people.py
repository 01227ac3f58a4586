"""People who register at the running platform, and the links in their emails."""

from __future__ import annotations

import email
import email.policy
import json
import re
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any
from uuid import uuid4

from tests.e2e.conftest import Stack

PASSWORD = "Lanterns-over-9-harbours"


def ask(
    stack: Stack, method: str, path: str, body: Any = None, *, token: str = ""
) -> tuple[int, Any]:
    """Send a request to the user service, with a token if given."""
    headers = {"Content-Type": "application/json"} if body is not None else {}
    request = urllib.request.Request(
        f"{stack.url}/api/users/v1/{path}",
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers=headers | ({"Authorization": f"Bearer {token}"} if token else {}),
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            raw = answer.read()
            return answer.status, json.loads(raw) if raw else None
    except urllib.error.HTTPError as refused:
        return refused.code, json.loads(refused.read())


def post(stack: Stack, path: str, **body: str) -> int:
    """Post to the user service; return the status."""
    return ask(stack, "POST", path, body)[0]


def link_to(stack: Stack, address: str, subject: str, within: float = 90) -> str:
    """Return the link in an email, after the email has arrived."""
    folder = Path(stack.environ["RUN_DIR"]) / "mail"
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        for path in folder.glob("*.eml"):
            mail = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
            text = mail.get_body(("plain",)) if mail["To"] == address else None
            if text and mail["Subject"] == subject:
                return re.search(r"https?://\S+token=\S+", text.get_content())[0]
        time.sleep(0.05)
    raise AssertionError(f"no mail {subject!r} to {address}")


def register(stack: Stack, kind: str = "customer") -> str:
    """Register a customer or a provider with `PASSWORD`; return the address."""
    made = f"ann-{uuid4().hex[:8]}@example.com"
    more = {"personal_id_number": f"{uuid4().int % 10**11:011}"} if kind == "provider" else {}
    status = post(
        stack, f"auth/register/{kind}", email=made, password=PASSWORD, first_name="Ann",
        last_name="Link", phone_number="+4930123456", **more,
    )  # fmt: skip
    assert status == 201
    return made


def sign_in(stack: Stack, address: str) -> str:
    """Sign in with `PASSWORD`; return the access token."""
    body = {"email": address, "password": PASSWORD}
    status, answer = ask(stack, "POST", "auth/login", body)
    assert status == 200, answer
    return answer["data"]["access_token"]


def prove(stack: Stack, address: str) -> None:
    """Follow the link that verifies an address, with `PASSWORD`."""
    token = link_to(stack, address, "Account verification").partition("token=")[2]
    assert post(stack, "auth/verify", token=token, password=PASSWORD) == 204


def move(stack: Stack, address: str) -> tuple[str, str]:
    """Change the verified address of an account.

    Return the new address, and the link for the former address that undoes the change.
    """
    prove(stack, address)
    moved = f"new-{address}"
    token = sign_in(stack, address)
    status, answer = ask(stack, "PATCH", "users/me", {"email": moved}, token=token)
    assert status == 200, answer
    return moved, link_to(stack, address, "Your e-mail address was changed")
