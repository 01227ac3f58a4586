"""What roles may do where nobody has changed it, for tests of services that do not ask `user`."""

from __future__ import annotations

from typing import Final

from lib.auth.permissions import Grants, built_in_grants

GRANTS: Final[Grants] = built_in_grants()
