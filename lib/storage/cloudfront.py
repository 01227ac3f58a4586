"""CloudFront links, signed with a canned policy for one object and an expiry time."""

from __future__ import annotations

from datetime import timedelta

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from lib.clock import Clock, utc_now
from lib.storage.port import check_key


class CloudFrontLinks:
    """Sign links for a distribution with the RSA key that is registered as `key_pair_id`."""

    def __init__(
        self, base_url: str, *, key_pair_id: str, private_key_pem: bytes, clock: Clock = utc_now
    ) -> None:
        """Read the RSA key from an unencrypted PEM. Raises ValueError for any other text."""
        from botocore.signers import CloudFrontSigner  # here: most processes never need the SDK

        self._base_url = base_url.rstrip("/")
        self._key = _rsa_key(private_key_pem)
        self._signer = CloudFrontSigner(key_pair_id, self._sign)
        self._clock = clock

    async def link(self, key: str, *, ttl: timedelta) -> str:
        """Return the signed URL."""
        ends = self._clock() + ttl
        url: str = self._signer.generate_presigned_url(
            f"{self._base_url}/{check_key(key)}", date_less_than=ends
        )
        return url

    def _sign(self, message: bytes) -> bytes:
        # SHA-1 is what CloudFront's signed URLs are defined with.
        return self._key.sign(message, padding.PKCS1v15(), hashes.SHA1())  # noqa: S303 - see above


def _rsa_key(pem: bytes) -> RSAPrivateKey:
    try:
        key = serialization.load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise ValueError("the CloudFront key is not an unencrypted PEM") from None
    if not isinstance(key, RSAPrivateKey):
        raise ValueError("the CloudFront key is not an RSA key")  # noqa: TRY004 - a wrong value
    return key
