"""`python -m tools.site VERSION FOLDER`: add a version of the manual to a site.

Each version has its own folder. The theme's menu reads `versions.json`, and `index.html` redirects
to the newest version.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

from packaging.version import Version

ROOT = Path(__file__).parents[1]
_TO_THE_NEWEST = """\
<!doctype html>
<meta charset="utf-8">
<title>aiosqlc</title>
<link rel="icon" href="data:,">
<meta http-equiv="refresh" content="0; url={version}/index.html">
<a href="{version}/index.html">aiosqlc {version}</a>
"""


def main() -> int:
    """Build the current manual as a version of the site."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("version", type=Version)
    parser.add_argument("folder", type=Path)
    arguments = parser.parse_args()
    code = build(arguments.folder / str(arguments.version))
    if code == 0:
        list_versions(arguments.folder)
    return code


def build(folder: Path) -> int:
    """Build the manual into a folder, beside the folders of other versions; return 0 on success."""
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet"]
    environ = {**os.environ, "NO_MKDOCS_2_WARNING": "1", "SITE_VERSIONS": "mike"}
    command += ["--site-dir", str(folder.absolute())]
    return subprocess.run(command, cwd=ROOT, env=environ, check=False).returncode


def list_versions(folder: Path) -> None:
    """Write the list of versions, newest first."""
    there = sorted(
        (Version(path.parent.name) for path in folder.glob("*/index.html")), reverse=True
    )
    menu = [
        {"version": str(v), "title": str(v), "aliases": ["latest"] if v == there[0] else []}
        for v in there
    ]
    (folder / "versions.json").write_text(json.dumps(menu, indent=2) + "\n")
    (folder / "index.html").write_text(_TO_THE_NEWEST.format(version=there[0]))


if __name__ == "__main__":
    sys.exit(main())
