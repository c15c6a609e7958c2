"""Checks that constraints.txt pins what is installed: `python -m tests.supply.check_lock`.

Everything that the package and its extras need, in turn, must be pinned, and what is installed must have the
pinned version. An extra that is not installed is named and left out.
"""

import importlib.metadata
import sys
from collections.abc import Iterable

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from .pins import CONSTRAINTS, dependencies, extras, pins


def main() -> int:
    pinned = pins(CONSTRAINTS)
    installed, absent = closure((*dependencies(), *extras()))
    problems = [
        f"{name} {version} is not pinned" for name, version in installed.items() if name not in pinned
    ]
    problems += [
        f"{name} {version} is installed, {pinned[name]} is pinned"
        for name, version in installed.items()
        if name in pinned and pinned[name] != version
    ]
    for problem in sorted(problems):
        print(f"constraints.txt: {problem}", file=sys.stderr)
    if absent:
        print(f"not installed, so not compared: {', '.join(sorted(absent))}")
    print(f"constraints.txt: {len(installed)} installed packages compared, {len(problems)} differ")
    return int(bool(problems))


def closure(requirements: Iterable[Requirement]) -> tuple[dict[str, str], set[str]]:
    """name -> installed version of the requirements and of what they need in turn; what is not installed."""
    installed: dict[str, str] = {}
    absent: set[str] = set()
    seen: set[tuple[str, str]] = set()
    waiting = [one for one in requirements if one.marker is None or one.marker.evaluate({"extra": ""})]
    while waiting:
        requirement = waiting.pop()
        name = str(canonicalize_name(requirement.name))
        if name == "pip":  # comes with Python
            continue
        try:
            found = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            absent.add(name)
            continue
        installed[name] = found.version
        for extra in requirement.extras or {""}:
            if (name, extra) not in seen:
                seen.add((name, extra))
                waiting += _needed(found, extra)
    return installed, absent


def _needed(found: importlib.metadata.Distribution, extra: str) -> list[Requirement]:
    needed = [Requirement(text) for text in found.requires or ()]
    wanted = [one for one in needed if one.marker is None or one.marker.evaluate({"extra": extra})]
    for one in wanted:
        one.marker = None
    return wanted


if __name__ == "__main__":
    sys.exit(main())
