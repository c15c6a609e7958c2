"""The fuzz target of the scorer passes its seeds and a fixed draw of inputs, and notices a difference."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from sodbench.metrics.kernels import curves

PATH = Path(__file__).resolve().parents[1] / "fuzzing" / "fuzz_scorer.py"
spec = importlib.util.spec_from_file_location("fuzz_scorer", PATH)
assert spec is not None and spec.loader is not None
fuzz_scorer = importlib.util.module_from_spec(spec)
spec.loader.exec_module(fuzz_scorer)


def test_seeds_and_fixed_inputs_pass() -> None:
    random = np.random.default_rng(0)
    for data in fuzz_scorer.seeds():
        fuzz_scorer.one_input(data)
    for size in random.integers(0, 200, 60):
        fuzz_scorer.one_input(random.bytes(int(size)))


def test_a_difference_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    kernel = curves.s_measure
    monkeypatch.setattr(curves, "s_measure", lambda *arguments: kernel(*arguments) + 1e-5)
    with pytest.raises(AssertionError, match="S differ by"):
        fuzz_scorer.one_input(bytes((0, 8, 30, 30)) + bytes(range(200)))
