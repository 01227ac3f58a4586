"""Authentication and authorization: tokens, keys, principals, guards."""

from lib.auth.guards import require, require_role, require_verified, self_or
from lib.auth.jwks import JwksCache
from lib.auth.keys import SigningKey, jwks_document
from lib.auth.principal import Principal, Role, current_principal, require_principal
from lib.auth.tokens import Issued, Issuer, StaticKeys, Verifier

__all__ = [
    "Issued",
    "Issuer",
    "JwksCache",
    "Principal",
    "Role",
    "SigningKey",
    "StaticKeys",
    "Verifier",
    "current_principal",
    "jwks_document",
    "require",
    "require_principal",
    "require_role",
    "require_verified",
    "self_or",
]
