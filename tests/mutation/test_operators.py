"""The mutants are faults, are the same for the same seed, and are noticed or not as they should be."""

import ast
from pathlib import Path

import pytest

from .operators import mutant_at, sample, sites
from .reach import Reach

SOURCE = '''
"""A module."""
import math

LIMIT: int = 3


def clipped(value: float, low: float = 0.0) -> float:
    """A docstring with 1 < 2."""
    if not value > low and value != LIMIT:
        return low
    for step in range(2):
        value += step * 2
    return -value
'''


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "module.py"
    path.write_text(SOURCE)
    return path


def test_every_mutant_is_a_different_program(file: Path) -> None:
    mutants = [mutant for site in sites(file) if (mutant := mutant_at(site)) is not None]
    texts = [mutant.after for mutant in mutants]
    assert len(texts) > 15
    original = ast.unparse(ast.parse(SOURCE))
    assert original not in texts and len(set(texts)) == len(texts)
    for text in texts:
        compile(text, "module.py", "exec")
        assert "A docstring with 1 < 2." in text
    assert any("value >= low" in text for text in texts)
    assert any("low: float=1.0" in text for text in texts)
    assert any("return None" in text for text in texts)
    assert any("not value > low or value != LIMIT" in text for text in texts)


def test_a_seed_draws_the_same_mutants(file: Path) -> None:
    first = [str(mutant) for mutant in sample([file], 5, seed=3)]
    assert first == [str(mutant) for mutant in sample([file], 5, seed=3)]
    assert first != [str(mutant) for mutant in sample([file], 5, seed=4)]


def test_the_fastest_tests_that_reach_a_line_are_taken(file: Path) -> None:
    reach = Reach()
    reach.lines = {(str(file), 10): {"slow", "fast", "failing"}, (str(file), 12): {"other", ""}}
    reach.seconds = {"slow": 5.0, "fast": 0.1, "failing": float("inf"), "other": 0.2}
    assert reach.tests_of(file, 10, seconds=20) == ["fast", "slow"]
    assert reach.tests_of(file, 10, seconds=1) == ["fast"]
    assert reach.tests_of(file, 5, seconds=1) == ["fast", "other"]  # runs at import
