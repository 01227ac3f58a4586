"""An identity provider beside the shared stack, in its own thread."""

from __future__ import annotations

import asyncio
import threading
from uuid import uuid4

from tests.services.user.played_provider import CLIENT, SECRET, Provider, playing

NAME = "one"


class IdentityProvider:
    """A simulated provider in the settings of the stack; each sign-in is a new user."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._playing = playing()
        self._provider: Provider = self._run(self._playing.__aenter__())
        # Examples of the API document show what every provider sends, which `iss` is not.
        self._provider.metadata = {"authorization_response_iss_parameter_supported": False}

    @property
    def settings(self) -> dict[str, str]:
        """Return the settings that name the provider."""
        return {
            "USER_OIDC_PROVIDERS": f"{NAME}={self._provider.issuer}?client_id={CLIENT}",
            "USER_OIDC_CLIENT_SECRETS": f"{NAME}:{SECRET}",
        }

    def authorize(self, url: str) -> dict[str, str]:
        """Return the parameters with which the browser of a new user returns from `url`."""
        user = uuid4().hex
        return self._provider.authorize(url, {"sub": user, "email": f"{user}@example.com"})

    def close(self) -> None:
        self._run(self._playing.__aexit__(None, None, None))
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self, work):
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)
