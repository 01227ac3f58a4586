"""Find a safe order to deploy code and migrations, by comparing guarantees and running queries."""

from __future__ import annotations

from aiosqlc.pipeline.git import GitError
from aiosqlc.verify.release import Release, Step, advice, read_release, verify_release

__all__ = ["GitError", "Release", "Step", "advice", "read_release", "verify_release"]
