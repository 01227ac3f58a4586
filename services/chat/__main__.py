"""Run the chat service: `python -m services.chat`."""

from __future__ import annotations

import sys

from lib.http.server import serve_app
from lib.process import run
from services.chat.app import create_app
from services.chat.config import ChatConfig

if __name__ == "__main__":
    sys.exit(run("chat", ChatConfig, lambda c: [serve_app(create_app(c), c, port=c.port)]))
