"""Plants faults and counts those that the tests notice: `python -m tests.mutation --mutants 200`.

A first run of the tests finds which of them reach which line. Each mutant then gets a forked process in which
the compiled kernels are loaded already. It imports the package with the fault and runs the tests that reach
the fault, the fastest first, until one fails. The survivors are printed; the exit code is 1 where fewer than
`--at-least` of the mutants are killed.
"""

import argparse
import importlib
import importlib.abc
import importlib.util
import multiprocessing
import os
import pickle
import pkgutil
import resource
import signal
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pytest

from .operators import Mutant, sample
from .reach import Reach

TOP = Path(__file__).resolve().parents[2]
TESTS = ["tests/metrics", "tests/results/test_drift.py", "tests/test_schema.py"]
OPTIONS = ["-q", "-x", "--no-header", "-p", "no:cacheprovider", "--tb=no", "--hypothesis-seed=0"]
PER_MUTANT = 20.0  # seconds that its tests take together without a fault
PATIENCE = 5.0  # times as much processor time, and a minute, until a mutant counts as one that hangs
# imported once, before the forks
HEAVY = ("numba", "pandas", "scipy.ndimage", "scipy.stats", "skimage", "py_sod_metrics", "hypothesis")
FORK = multiprocessing.get_context("fork")


def mutated_files() -> list[Path]:
    """The files in which faults are planted.

    Left out: the kernels, `compiled.py` and the vector registers, which numba compiles and keeps on disk.
    `tests/metrics` compares them with other implementations.
    """
    metrics = sorted((TOP / "sodbench" / "metrics").rglob("*.py"))
    left_out = {"kernels", "compiled.py", "vector_registers.py", "lanes.py", "real_lanes.py"}
    return [path for path in metrics if not left_out & set(path.parts)] + [TOP / "sodbench/results/drift.py"]


@dataclass
class Outcome:
    """What became of a mutant: killed, survived, timed out, or reached by no test."""

    mutant: Mutant
    kind: str
    seconds: float
    tests: int


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument("--mutants", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--at-least", type=float, default=0.9, help="share that must be killed")
    args = parser.parse_args()
    os.chdir(TOP)
    os.environ["HYPOTHESIS_STORAGE_DIRECTORY"] = tempfile.mkdtemp(prefix="mutation-")
    _load_what_stays()
    started = time.monotonic()
    reach = _reach()
    took = time.monotonic() - started
    print(f"{len(reach.seconds)} tests reach {len(reach.lines)} lines, {took:.0f} s", flush=True)
    _check_that_tests_pass(reach)
    mutants = sample(mutated_files(), args.mutants, args.seed)

    def tried(mutant: Mutant) -> Outcome:
        outcome = _tried(mutant, reach)
        print("." if outcome.kind == "killed" else outcome.kind[0].upper(), end="", flush=True)
        return outcome

    with ThreadPoolExecutor(args.processes) as pool:
        outcomes = list(pool.map(tried, mutants))
    return _summary(outcomes, args.at_least, time.monotonic() - started)


def _load_what_stays() -> None:
    """Imports what no fault touches: forked processes have it at once."""
    for name in HEAVY:
        importlib.import_module(name)
    kernels = importlib.import_module("sodbench.metrics.kernels")
    for module in pkgutil.iter_modules(kernels.__path__, f"{kernels.__name__}."):
        importlib.import_module(module.name)
    _forget_the_package()


def _forget_the_package() -> None:
    for name in list(sys.modules):
        stays = name.startswith("sodbench.metrics.kernels") or name == "sodbench.metrics.compiled"
        if name.partition(".")[0] == "sodbench" and not stays:
            del sys.modules[name]


def _reach() -> Reach:
    """Runs all tests once, in a process of its own, and returns what it found."""
    with tempfile.TemporaryDirectory(prefix="mutation-") as folder:
        file = Path(folder) / "reach"

        def work() -> None:
            reach = Reach()
            options = [option for option in OPTIONS if option != "-x"]
            reach.run([*options, "-m", "not slow", *TESTS], mutated_files())
            file.write_bytes(pickle.dumps(reach))

        child = FORK.Process(target=work)
        child.start()
        child.join()
        found: Reach = pickle.loads(file.read_bytes())
        return found


def _check_that_tests_pass(reach: Reach) -> None:
    """Without a fault nothing may fail in a forked process, or every mutant would count as killed."""
    for path in (TOP / "sodbench/metrics/scorer.py", TOP / "sodbench/results/drift.py"):
        text = path.read_text(encoding="utf-8")
        outcome = _tried(Mutant(path, 0, text, text), reach)
        if outcome.kind not in ("survived", "no test"):
            raise SystemExit(f"the tests that reach {path} fail without a fault")


def _tried(mutant: Mutant, reach: Reach) -> Outcome:
    """Runs the tests that reach a mutant, in a forked process."""
    tests = reach.tests_of(mutant.path, mutant.line, PER_MUTANT)
    if not tests:
        return Outcome(mutant, "no test", 0.0, 0)
    expected = sum(reach.seconds[test] for test in tests)
    started = time.monotonic()
    child = FORK.Process(target=_run, args=(mutant, tests, int(60 + PATIENCE * expected)))
    child.start()
    child.join()
    kind = {0: "survived", -signal.SIGXCPU: "timed out"}.get(child.exitcode or 0, "killed")
    return Outcome(mutant, kind, time.monotonic() - started, len(tests))


def _run(mutant: Mutant, tests: list[str], limit: int) -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (limit, limit + 10))
    with Path(os.devnull).open("w") as nowhere:
        os.dup2(nowhere.fileno(), 1)
        os.dup2(nowhere.fileno(), 2)
    sys.meta_path.insert(0, _Planted(mutant))
    _look_for_one_failure()
    os._exit(int(pytest.main([*OPTIONS, *tests])))


def _look_for_one_failure() -> None:
    """Hypothesis stops at the first failure, which it would otherwise make simpler and run again."""
    from hypothesis import Phase, settings

    settings.register_profile("mutation", phases=(Phase.explicit, Phase.generate), database=None)
    settings.load_profile("mutation")


class _Planted(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports the mutant in place of its module."""

    def __init__(self, mutant: Mutant) -> None:
        self.mutant = mutant
        relative = mutant.path.relative_to(TOP).with_suffix("")
        self.name = ".".join(relative.parts).removesuffix(".__init__")

    def find_spec(
        self, name: str, path: object = None, target: object = None
    ) -> importlib.machinery.ModuleSpec | None:
        if name != self.name:
            return None
        return importlib.util.spec_from_file_location(name, self.mutant.path, loader=self)

    def exec_module(self, module: ModuleType) -> None:
        exec(compile(self.mutant.after, str(self.mutant.path), "exec"), module.__dict__)


def _summary(outcomes: list[Outcome], at_least: float, seconds: float) -> int:
    kinds = [outcome.kind for outcome in outcomes]
    killed = kinds.count("killed") + kinds.count("timed out")
    print()
    for one in outcomes:
        if one.kind in ("survived", "no test"):
            text = str(one.mutant).replace(f"{TOP}/", "")
            print(f"{one.kind} ({one.tests} tests, {one.seconds:.0f} s): {text}")
    share = killed / len(outcomes) if outcomes else 1.0
    print(
        f"{len(outcomes)} mutants: {killed} killed ({kinds.count('timed out')} by the time limit),"
        f" {kinds.count('survived')} survived, {kinds.count('no test')} reached by no test:"
        f" {share:.1%} killed in {seconds:.0f} s"
    )
    return int(share < at_least)


if __name__ == "__main__":
    sys.exit(main())
