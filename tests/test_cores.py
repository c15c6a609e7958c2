"""How the process shares the cores with others."""

import os
import subprocess
import sys

import pytest

from sodbench.cores import core_count

SHOW = "; import os; print(os.environ.get('GOMP_SPINCOUNT'))"


def _spins(code: str, **environment: str) -> str:
    kept = {k: v for k, v in os.environ.items() if k not in ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY")}
    command = [sys.executable, "-c", code + SHOW]
    ran = subprocess.run(command, env=kept | environment, capture_output=True, text=True, check=True)
    return ran.stdout.splitlines()[-1]


def test_there_is_a_core():
    assert 1 <= core_count() <= (os.cpu_count() or 1)


@pytest.mark.parametrize(
    "code",
    [
        "import sodbench.models",
        "import sodbench.prediction",
        "from sodbench.cli.main import main; main(['datasets', 'list'])",
    ],
)
def test_idle_threads_sleep_soon(code):
    spins = int(_spins(code))
    assert 0 < spins < 300_000  # what libgomp does by itself: longer than a time slice


def test_what_the_user_set_stays():
    assert _spins("import sodbench.models", GOMP_SPINCOUNT="7") == "7"
    assert _spins("import sodbench.models", OMP_WAIT_POLICY="active") == "None"


def test_nothing_is_set_once_torch_has_read_it():
    assert _spins("import torch, sodbench.models") == "None"
