"""Build in a temporary folder, so that a package never contains files of an earlier build."""

import tempfile

from setuptools import setup

with tempfile.TemporaryDirectory(prefix="aiosqlc-build-") as folder:
    setup(options={"build": {"build_base": folder}})
