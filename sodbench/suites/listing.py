"""All suites that can be read, shipped and the user's own."""

import warnings
from pathlib import Path

from sodbench import catalog
from sodbench.errors import InputError, Note
from sodbench.suites.suite import Suite, read_suite


def readable_suites() -> tuple[list[Suite], dict[Path, str]]:
    """All suites by name, and what is wrong with each of the user's own files that cannot be read.

    Wrong files are noted, and so are those that have the name of a shipped suite.
    """
    suites, problems = [], {}
    for path in catalog.shadowing("suites").values():
        problems[path] = str(catalog.taken_name("suites", path))
    for name, path in sorted(catalog.entries("suites").items()):
        try:
            suites.append(read_suite(path))
        except InputError as error:
            if catalog.is_shipped_name("suites", name):
                raise
            problems[path] = str(error)
    for problem in problems.values():
        warnings.warn(f"not a suite: {problem}", Note, stacklevel=3)
    return suites, problems
