"""The default permissions of the roles, for tests of services that do not query `user`."""

from __future__ import annotations

from typing import Final

from lib.auth.permissions import Grants, built_in_grants

GRANTS: Final[Grants] = built_in_grants()
