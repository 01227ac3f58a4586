"""The protocol library pygls, changed so that it does not keep handled messages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pygls.protocol import LanguageServerProtocol

if TYPE_CHECKING:  # the names do not exist at run time
    from pygls.protocol.json_rpc import MessageCallback, MessageHandler, MsgId


class Protocol(LanguageServerProtocol):
    """Drop each message after it is handled.

    pygls 2.1.1 drops only requests. It keeps every notification, and an editor sends one for each
    keystroke (about 2.4 KiB).
    """

    def _execute_handler(
        self,
        msg_id: MsgId,
        handler: MessageHandler,
        callback: MessageCallback,
        args: tuple[Any, ...] | None = None,
        kwargs: dict[str, Any] | None = None,
    ) -> None:
        super()._execute_handler(msg_id, handler, callback, args, kwargs)
        if future := self._request_futures.get(msg_id):
            future.add_done_callback(lambda done: self._forget(msg_id, done))

    def _forget(self, msg_id: MsgId, done: Any) -> None:
        """Drop a handled message, because each cancellation searches all stored messages."""
        if not done.cancelled():
            self._request_futures.pop(msg_id, None)
