"""Build in a temporary folder, so that no build packages leftover files of an earlier build."""

import tempfile

from setuptools import setup

with tempfile.TemporaryDirectory(prefix="aiosqlc-build-") as folder:
    setup(options={"build": {"build_base": folder}})
