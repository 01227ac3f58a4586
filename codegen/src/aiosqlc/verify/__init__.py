"""Which order of deploying code and migrations is safe: claims compared, and calls tried."""

from __future__ import annotations

from aiosqlc.verify.git import GitError
from aiosqlc.verify.release import Release, Step, advice, read_release, verify_release

__all__ = ["GitError", "Release", "Step", "advice", "read_release", "verify_release"]
