"""TLS between services, optionally with client certificates."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import grpc

from lib.errors import StartError


@dataclass(frozen=True, slots=True)
class ServerTls:
    """PEM files of a server: its certificate chain, its key, and the CA of its clients."""

    certificate: Path
    key: Path
    client_authority: Path | None = None

    def credentials(self) -> grpc.ServerCredentials:
        """Return credentials that reload changed files, so a renewed certificate needs no restart.

        Raises StartError if a file cannot be read.
        """
        seen = self._stamp()

        def renewed() -> grpc.ServerCertificateConfiguration | None:
            nonlocal seen
            try:
                stamp = self._stamp()
                if stamp == seen:
                    return None
                configuration = self._read()
            except StartError:
                return None  # Being replaced just now; what was read before still holds.
            seen = stamp
            return configuration

        return grpc.dynamic_ssl_server_credentials(
            self._read(), renewed, require_client_authentication=self.client_authority is not None
        )

    def _read(self) -> grpc.ServerCertificateConfiguration:
        pair = (_pem(self.key), _pem(self.certificate))
        return grpc.ssl_server_certificate_configuration([pair], _pem(self.client_authority))

    def _stamp(self) -> tuple[int, int]:
        try:
            return self.certificate.stat().st_mtime_ns, self.key.stat().st_mtime_ns
        except OSError as error:
            raise _unreadable(error) from error


@dataclass(frozen=True, slots=True)
class ClientTls:
    """PEM files of a client: the trusted CA and, optionally, a certificate chain and key."""

    authority: Path
    certificate: Path | None = None
    key: Path | None = None

    def credentials(self) -> grpc.ChannelCredentials:
        """Return the credentials of a channel. Raises StartError if a file cannot be read."""
        return grpc.ssl_channel_credentials(
            _pem(self.authority), _pem(self.key), _pem(self.certificate)
        )


def _pem(path: Path | None) -> bytes | None:
    if path is None:
        return None
    try:
        return path.read_bytes()
    except OSError as error:
        raise _unreadable(error) from error


def _unreadable(error: OSError) -> StartError:
    return StartError(f"{error.filename} cannot be read: {error.strerror}")
