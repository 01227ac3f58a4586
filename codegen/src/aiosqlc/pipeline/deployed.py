"""Read and analyse a configuration entry as it is at a git reference."""

from __future__ import annotations

from collections.abc import Mapping

from aiosqlc.analysis.port import Analyze
from aiosqlc.config.project import Project, QuerySet
from aiosqlc.lock.document import Known
from aiosqlc.lock.head import lock_path
from aiosqlc.lock.reading import read_text
from aiosqlc.pipeline.analysed import Analysed, Inputs
from aiosqlc.pipeline.analyzing import analyze_inputs
from aiosqlc.pipeline.git import old_file, old_queries, old_schema


def old_inputs(project: Project, entry: QuerySet, reference: str, now: Inputs) -> Inputs:
    """Return the files that the configuration names now, with their content at the reference.

    Raises `GitError` if the reference or the repository cannot be read.
    """
    paths = [file.file.path for file in now.schema]
    schema = tuple(old_schema(project, entry, reference, paths))
    return Inputs(schema, (), old_queries(project, entry, reference), now.shims)


def analyze_old(
    project: Project, entry: QuerySet, reference: str, inputs: Inputs, analyze: Analyze
) -> Analysed:
    """Analyse the files of a git reference, and reuse the results in its lock file."""
    known = _old_lock(project, reference).get(str(entry.index))
    return analyze_inputs(entry, inputs, (), known, analyze)


def _old_lock(project: Project, reference: str) -> Mapping[str, Known]:
    text = old_file(project, reference, lock_path(project).relative_to(project.root))
    return read_text(text) if text else {}
