"""Which test reaches which line, and how long it takes: a pytest plugin on top of coverage."""

import itertools
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

IMPORTED = ""  # stands for the test of a line that runs when its module is imported


class Reach:
    """`lines[file, line]`: the tests that reach it. `seconds[test]`: its processor time (inf: it fails)."""

    def __init__(self) -> None:
        self.lines: dict[tuple[str, int], set[str]] = {}
        self.seconds: dict[str, float] = {}

    def run(self, options: list[str], paths: list[Path]) -> None:
        """Runs pytest with these options and measures the files `paths`."""
        import coverage

        self.files = {str(path) for path in paths}
        self.measured = coverage.Coverage(
            data_file=None, include=[str(path) for path in paths], config_file=False
        )
        self.measured.start()
        pytest.main(options, plugins=[self])
        self.measured.stop()
        data = self.measured.get_data()
        for file in data.measured_files():
            for line, tests in data.contexts_by_lineno(file).items():
                self.lines[file, line] = set(tests)
        del self.measured

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        self._forget_what_is_cached()
        self.measured.switch_context(item.nodeid)
        started = _processor_time()
        try:
            return (yield)
        finally:
            # a test that failed has its time already
            self.seconds.setdefault(item.nodeid, _processor_time() - started)
            self.measured.switch_context(IMPORTED)

    def _forget_what_is_cached(self) -> None:
        """A test reaches the lines of a cached function also where an earlier test has called it."""
        for module in list(sys.modules.values()):
            if getattr(module, "__file__", None) in self.files:
                for value in vars(module).values():
                    if hasattr(value, "cache_clear"):
                        value.cache_clear()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.outcome != "passed":
            self.seconds[report.nodeid] = float("inf")

    def tests_of(self, path: Path, line: int, seconds: float) -> list[str]:
        """The tests to run for a fault in this line: the fastest ones, which take `seconds` together.

        A line that runs at import only has the tests that reach any line of its file.
        """
        reached = self.lines.get((str(path), line), set()) - {IMPORTED}
        if not reached:
            of_file = [tests for (file, _), tests in self.lines.items() if file == str(path)]
            reached = set().union(*of_file) - {IMPORTED}
        fastest = sorted(reached, key=lambda test: (self.seconds.get(test, float("inf")), test))
        taken = itertools.accumulate(self.seconds.get(test, float("inf")) for test in fastest)
        return [test for test, total in zip(fastest, taken, strict=True) if total <= seconds]


def _processor_time() -> float:
    """Seconds of this process and of those that it started; a loaded machine does not change them."""
    return sum(os.times()[:4])
