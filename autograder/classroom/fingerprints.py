"""What marks and pages depend on in our own code and texts, a fingerprint for each: only what changed is redone.

A change in a report's page, in JupyterLab's start page or in the book redoes nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path

MARKS = ("autograder/judging", "autograder/exercises", "autograder/sandbox", "autograder/classroom",
         "autograder/assignment", "cnncourse")
"""Folders whose code can change a mark: declarations, comparison, what of a notebook counts, sandbox, kernels."""

PAGES = ("autograder/showing", "autograder/templates", "autograder/locale", "autograder/cohort/pages.py")
"""What can change a student's page and no mark."""

NEITHER = ("cnncourse/plotting", "cnncourse/widgets", "cnncourse/locale")


@cache
def marks() -> str:
    """Fingerprint of the code that can change a mark."""
    return _of_files(MARKS, ("*.py",))


@cache
def pages() -> str:
    """Fingerprint of what can change a page."""
    return _of_files(PAGES, ("*.py", "*.j2", "*.po"))


def _of_files(places: Iterable[str], patterns: Iterable[str]) -> str:
    digest = hashlib.sha256()
    for name, path in sorted(_files(places, patterns)):
        digest.update(name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def _files(places: Iterable[str], patterns: Iterable[str]) -> Iterator[tuple[str, Path]]:
    for place in places:
        package, _, inner = place.partition("/")
        specification = find_spec(package)
        assert specification is not None and specification.submodule_search_locations is not None
        root = Path(specification.submodule_search_locations[0])
        found = [root / inner] if (root / inner).is_file() else [
            path for pattern in patterns for path in (root / inner).rglob(pattern)]
        for path in found:
            name = f"{package}/{path.relative_to(root).as_posix()}"
            if not any(name.startswith(f"{left_out}/") for left_out in NEITHER):
                yield name, path
