"""Build in a temporary folder, because a later build would ship the leftovers of this one."""

import tempfile

from setuptools import setup

with tempfile.TemporaryDirectory(prefix="aiosqlc-build-") as folder:
    setup(options={"build": {"build_base": folder}})
