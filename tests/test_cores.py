"""Cores: counted on systems without affinity, shared fairly by threads that sleep while they wait."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from sodbench.cores import core_count, share_cores


def test_cores_are_counted_where_there_is_no_affinity(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    assert core_count() == os.cpu_count()
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert core_count() == 1


def test_scoring_needs_nothing_that_only_linux_has(root: Path, here: Path) -> None:
    """Scoring on a system without affinity (macOS, Windows) and without resource limits (Windows)."""
    maps = root / "SOD" / "GT"
    script = (
        "import os, sys\n"
        "if hasattr(os, 'sched_getaffinity'): del os.sched_getaffinity\n"
        "sys.modules['resource'] = None\n"
        "from sodbench.cli.main import main\n"
        f"job = ['score', {str(maps)!r}, '--dataset', 'sod', '--data-root', {str(root)!r}, '--quiet']\n"
        "sys.exit(main(job))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert " 3/300 " in done.stdout


@pytest.mark.parametrize(
    ("given", "expected"),
    [({}, "1000"), ({"GOMP_SPINCOUNT": "7"}, "7"), ({"OMP_WAIT_POLICY": "active"}, None)],
)
def test_waiting_threads_sleep_soon_unless_the_user_decides(
    monkeypatch: pytest.MonkeyPatch, given: dict[str, str], expected: str | None
) -> None:
    for name in ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY"):
        monkeypatch.delenv(name, raising=False)
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    share_cores()
    assert os.environ.get("GOMP_SPINCOUNT") == expected


def test_after_torch_nothing_is_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    """OpenMP has read its environment by then; a setting would only reach the processes that are started."""
    for name in ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setitem(sys.modules, "torch", sys)
    share_cores()
    assert "GOMP_SPINCOUNT" not in os.environ
