"""Builds outside the source folder: what one build leaves there, the next would ship."""

import tempfile

from setuptools import setup

with tempfile.TemporaryDirectory(prefix="aiosqlc-build-") as folder:
    setup(options={"build": {"build_base": folder}})
