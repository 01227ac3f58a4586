"""Certificates of a temporary authority, and a proxy that ends TLS in front of a plain server."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID


class Authority:
    """Sign server certificates; `file` has the authority's certificate for clients."""

    def __init__(self, folder: Path, name: str = "authority") -> None:
        self._folder = folder
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self._key = ec.generate_private_key(ec.SECP256R1())
        usage = x509.KeyUsage(
            digital_signature=True, key_cert_sign=True, crl_sign=True,
            content_commitment=False, key_encipherment=False, data_encipherment=False,
            key_agreement=False, encipher_only=False, decipher_only=False,
        )  # fmt: skip
        own = _builder(self._name, self._name, self._key, days=2)
        own = own.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        own = own.add_extension(usage, critical=True)
        mine = x509.SubjectKeyIdentifier.from_public_key(self._key.public_key())
        own = own.add_extension(mine, critical=False)
        self.file = folder / f"{name}.pem"
        self.file.write_bytes(own.sign(self._key, hashes.SHA256()).public_bytes(Encoding.PEM))

    def server(self, host: str = "localhost", *, days: int = 1) -> ssl.SSLContext:
        """Return the TLS files of a server called `host`; with negative `days`, they have ended."""
        both = self.signed(host, days=days)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(both)
        return context

    def signed(self, host: str = "localhost", *, days: int = 1) -> Path:
        """Return a file with a key for `host` and its certificate, for servers and clients."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
        built = _builder(subject, self._name, key, days=days).add_extension(
            x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False
        )
        # Python 3.13 demands that a certificate names the key that signed it.
        signer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        built = built.add_extension(signer, critical=False)
        both = self._folder / f"{host}{days}.pem"
        both.touch(mode=0o600)
        both.write_bytes(
            key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
            + built.sign(self._key, hashes.SHA256()).public_bytes(Encoding.PEM)
        )
        return both


class Terminator:
    """Listen with TLS on `port` and forward to a plain server; `forwarded` counts the bytes."""

    def __init__(self, target_port: int) -> None:
        self._target_port = target_port
        self.port = 0
        self.forwarded = 0

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection until either side ends it."""
        behind_reader, behind = await asyncio.open_connection("127.0.0.1", self._target_port)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._pump(reader, behind, counted=True))
                group.create_task(self._pump(behind_reader, writer))
        finally:
            behind.close()
            writer.close()

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, counted: bool = False
    ) -> None:
        with suppress(OSError):
            while data := await reader.read(65_536):
                self.forwarded += len(data) if counted else 0
                writer.write(data)
                await writer.drain()
        writer.close()


@asynccontextmanager
async def terminating(tls: ssl.SSLContext, target_port: int) -> AsyncIterator[Terminator]:
    """Run a terminator on a free port while the block runs."""
    terminator = Terminator(target_port)
    server = await asyncio.start_server(terminator.accept, "127.0.0.1", 0, ssl=tls)
    terminator.port = server.sockets[0].getsockname()[1]
    try:
        yield terminator
    finally:
        server.close()


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, *, days: int
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=10))
        .not_valid_after(now + timedelta(days=days))
    )
