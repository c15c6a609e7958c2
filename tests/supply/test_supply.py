"""The constraint files fit pyproject.toml, and the checks of `tox` look at what they should."""

from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from .check_lock import closure
from .check_wheel import commands, expected
from .pins import CONSTRAINTS, LOWEST, TOP, dependencies, extras, pins


def test_every_dependency_is_pinned_to_a_version_that_is_allowed() -> None:
    pinned = pins(CONSTRAINTS)
    for requirement in (*dependencies(), *extras()):
        name = canonicalize_name(requirement.name)
        assert name in pinned, f"{name}: not in constraints.txt"
        assert requirement.specifier.contains(pinned[name]), f"{name}: {pinned[name]} is not {requirement}"


def test_the_lower_bounds_are_those_that_were_tested() -> None:
    lowest = pins(LOWEST)
    bounds = {
        str(canonicalize_name(requirement.name)): bound.version
        for requirement in dependencies()
        for bound in requirement.specifier
        if bound.operator == ">="
    }
    assert len(bounds) == len(dependencies()), "a dependency without a lower bound"
    tested = {name: Version(lowest[name]) for name in bounds}
    assert tested == {name: Version(bound) for name, bound in bounds.items()}


def test_a_pin_is_one_version(tmp_path: Path) -> None:
    for text in ("numpy>=1\n", "numpy\n", "numpy==1\nNumPy==2\n"):
        (tmp_path / "c.txt").write_text(text)
        with pytest.raises(ValueError, match=r"c\.txt"):
            pins(tmp_path / "c.txt")


def test_the_closure_holds_what_is_needed_in_turn() -> None:
    installed, absent = closure([Requirement("scikit-image"), Requirement("no-such-package")])
    assert {"scikit-image", "numpy", "imageio", "lazy-loader"} <= set(installed)
    assert absent == {"no-such-package"}


def test_what_the_wheel_must_hold_and_run() -> None:
    assert commands() == ["sodbench run basnet-tiny --datasets sample", "sodbench report --format markdown"]
    if not (TOP / ".git").exists():
        pytest.skip("needs the repository to list its files")
    files = expected()
    for path in (
        "metrics/protocols/raw.toml",
        "results/literature/methods.toml",
        "_catalog/datasets/lists/sod.txt",
    ):
        assert f"sodbench/{path}" in files
    assert "sodbench/_catalog/baselines/weights/basnet-tiny.pth" in files
