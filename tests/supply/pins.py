"""The project's dependencies and the files that pin them."""

import re
import tomllib
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

TOP = Path(__file__).resolve().parents[2]
CONSTRAINTS = TOP / "constraints.txt"
LOWEST = Path(__file__).with_name("constraints-lowest.txt")


def dependencies() -> list[Requirement]:
    """What the package itself needs, from pyproject.toml."""
    return [Requirement(text) for text in _project()["dependencies"]]


def extras() -> list[Requirement]:
    """What its extras need."""
    return [Requirement(text) for extra in _project()["optional-dependencies"].values() for text in extra]


def pins(path: Path) -> dict[str, str]:
    """name -> version of a constraints file, in which every line is `name==version`."""
    pinned: dict[str, str] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        found = re.fullmatch(r"([A-Za-z0-9._-]+)==([^\s;]+)", line.strip())
        if found is None:
            raise ValueError(f"{path.name}: expected name==version, found {line!r}")
        name = str(canonicalize_name(found[1]))
        if name in pinned:
            raise ValueError(f"{path.name}: {name} is pinned twice")
        pinned[name] = found[2]
    return pinned


def _project() -> dict[str, Any]:
    project: dict[str, Any] = tomllib.loads((TOP / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return project
