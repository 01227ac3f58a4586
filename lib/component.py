"""A component that a process runs beside its requests, with a start and an end."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import Any, TypeAlias

Component: TypeAlias = AbstractAsyncContextManager[Any]
