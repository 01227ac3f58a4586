"""Something with a beginning and an end that a process runs beside its requests."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import Any, TypeAlias

Component: TypeAlias = AbstractAsyncContextManager[Any]
