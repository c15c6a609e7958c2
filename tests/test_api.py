"""The public names: all there, lazily imported, documented, and docs/api.md is what they say."""

import ast
import importlib.util
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import sodbench

TOP = Path(__file__).resolve().parents[1]
NAMES = [name for name in sodbench.__all__ if name != "__version__"]
ASKED = {
    "evaluate",
    "score_maps",
    "rescore",
    "predict",
    "score",
    "load_baseline",
    "open_dataset",
    "datasets",
    "baselines",
    "load_runs",
    "leaderboard",
    "report",
    "compare",
    "train",
    "Scorer",
    "Run",
    "Protocol",
}


def test_everything_that_was_promised_is_offered() -> None:
    assert set(NAMES) >= ASKED
    assert set(NAMES) <= set(dir(sodbench))
    with pytest.raises(AttributeError, match="no attribute 'evaluat'"):
        _ = sodbench.evaluat


@pytest.mark.parametrize("name", NAMES)
def test_every_name_is_documented(name: str) -> None:
    thing = getattr(sodbench, name)
    assert callable(thing)
    text = inspect.getdoc(thing)
    assert text and len(text) > 40 and text.split()[0] != name


def test_an_editor_sees_the_names_that_are_imported_lazily() -> None:
    """The imports under TYPE_CHECKING, which editors and type checkers read, agree with the lazy ones."""
    tree = ast.parse((TOP / "sodbench" / "__init__.py").read_text())
    (block,) = (node for node in tree.body if isinstance(node, ast.If))
    typed = {
        alias.asname: node.module
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert typed == {name: f"sodbench.{home}" for name, home in sodbench._HOME.items()}
    assert (TOP / "sodbench" / "py.typed").is_file()


def test_importing_takes_no_time_and_no_other_package() -> None:
    script = (
        "import time; start = time.perf_counter(); import sodbench; took = time.perf_counter() - start; "
        "import sys; heavy = {'numpy', 'torch', 'numba', 'pandas', 'PIL', 'scipy', 'matplotlib'}; "
        "print(sorted(heavy & set(sys.modules))); assert took < 1, took"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_sub_packages_do_not_hide_public_names() -> None:
    """`import sodbench.x` sets the attribute x of the package: no public name may be a module's."""
    script = (
        "import pkgutil, importlib, sodbench\n"
        "for module in pkgutil.iter_modules(sodbench.__path__):\n"
        "    assert module.name not in sodbench.__all__, module.name\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_the_page_is_what_the_docstrings_say() -> None:
    spec = importlib.util.spec_from_file_location("write_api", TOP / "docs" / "write_api.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    message = "docs/api.md is out of date: run python docs/write_api.py"
    assert (TOP / "docs" / "api.md").read_text(encoding="utf-8") == module.page(), message
