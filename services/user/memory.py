"""Compute the peak memory of the user service.

A test compares the result with the deployment files.
"""

from __future__ import annotations

from typing import Final

from services.user import images, passwords

# The process with its pools, its keys and requests under way, as measured.
PROCESS_MIB: Final = 170


def needed_mib(password_threads: int) -> int:
    """Return the MiB needed while all password threads are busy and one picture is re-encoded."""
    hashing = password_threads * -(-passwords.MEMORY_KIB // 1024)
    return PROCESS_MIB + hashing + images.MEMORY_MIB
