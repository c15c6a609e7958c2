"""Every case of the corpus gives what it must: the fast part always, all of it with `--corpus`."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from .cases import all_cases, chosen
from .good import GOOD

pytestmark = pytest.mark.corpus
Run = Callable[[str], dict[str, Any]]


@pytest.fixture(scope="session")
def run() -> Iterator[Run]:
    """Runs a case by its name, in a process that imports everything once and forks for each case."""
    process = subprocess.Popen(
        [sys.executable, "-m", __package__, "--serve"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[1]), *sys.path])},
    )
    assert process.stdin and process.stdout

    def ask(name: str) -> dict[str, Any]:
        print(name, file=process.stdin, flush=True)
        return json.loads(process.stdout.readline())  # type: ignore[union-attr,no-any-return]

    with process:
        yield ask
        process.stdin.close()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "case" in metafunc.fixturenames:
        whole = metafunc.config.getoption("--corpus")
        metafunc.parametrize("case", list(chosen([], fast=not whole)))


def test_bad_input(case: str, run: Run) -> None:
    outcome = run(case)
    assert not outcome["problems"], outcome["stderr"]


def test_the_corpus_is_as_large_as_it_says() -> None:
    assert len(all_cases()) >= 1500
    assert len(chosen([], fast=True)) >= 150


@pytest.mark.parametrize("name", [case.name for case in GOOD])
def test_good_input_is_taken(name: str, run: Run) -> None:
    """Each command exits with 0 where nothing is spoiled: the refusals above are of what is."""
    outcome = run(name)
    assert not outcome["problems"], outcome["stderr"]


def test_the_judge_can_fail(run: Run) -> None:
    """A case whose expectation is wrong on purpose has a problem of every kind."""
    problems = " ".join(run("judge/wrong-on-purpose")["problems"])
    assert "exit code 0, expected 2" in problems
    assert "changed" in problems
    assert "it says 'Table'" in problems
