"""The reusable action: its steps run as a shell would run them, with nothing but the command line below."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from results.stand_in import run
from sodbench.cli.main import main
from sodbench.results.saving import save_run

ACTION = Path(__file__).resolve().parents[2] / "action.yml"


def scripts() -> list[str]:
    """The shell scripts of the action's steps, cut out by their indentation (no YAML reader is needed)."""
    text = ACTION.read_text(encoding="utf-8")
    return [
        re.sub(r"(?m)^ {8}", "", block) for block in re.findall(r"(?m)^      run: \|\n((?: {8}.*\n)+)", text)
    ]


def test_inputs_reach_the_shell_as_variables_only() -> None:
    assert len(scripts()) == 4
    assert all("${{" not in script for script in scripts())


@pytest.mark.skipif(not shutil.which("bash"), reason="needs bash")
@pytest.mark.parametrize(("package", "installed"), [("this", "/the/action"), ("sodbench==9", "sodbench==9")])
def test_the_version_of_the_action_is_installed(tmp_path: Path, package: str, installed: str) -> None:
    shim = tmp_path / "python"
    shim.write_text('#!/bin/sh\necho "$@"\n')
    shim.chmod(0o755)
    given = {
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
        "PACKAGE": package,
        "GITHUB_ACTION_PATH": "/the/action",
    }
    command = ["bash", "-e", "-o", "pipefail", "-c", scripts()[0]]
    done = subprocess.run(command, env=os.environ | given, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == f"-m pip install --quiet {installed}"


@pytest.mark.skipif(not shutil.which("bash"), reason="needs bash")
def test_the_check_step_passes_and_fails(tmp_path: Path) -> None:
    made = run()
    save_run(tmp_path / "reports", made)
    reference = tmp_path / "reports" / "reference.json"
    assert (
        main(["check", "--reports", str(tmp_path / "reports"), "--against", str(reference), "--update"]) == 0
    )
    shim = tmp_path / "sodbench"
    shim.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m sodbench "$@"\n')
    shim.chmod(0o755)
    environment = os.environ | {
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
        "REPORTS": "reports",
        "AGAINST": "reports/reference.json",
        "TOLERANCE": "MAE=1e-9 1e-7",
        "EXACT": "false",
        "STRICT": "true",
        "GITHUB_OUTPUT": str(tmp_path / "output"),
        "GITHUB_STEP_SUMMARY": str(tmp_path / "summary"),
        "GITHUB_ACTIONS": "true",
    }
    command = ["bash", "-e", "-o", "pipefail", "-c", scripts()[-1]]
    checked = Path(__file__).resolve().parents[2]
    environment["PYTHONPATH"] = str(checked)

    def step() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )

    done = step()
    assert done.returncode == 0, done.stderr
    assert "page=reports/index.html" in (tmp_path / "output").read_text()
    made.tables["pysodmetrics"].per_image["MAE"] += 1e-8  # as a record's scores follow from its rows
    made.tables["pysodmetrics"].scores["MAE"] += 1e-8
    save_run(tmp_path / "reports", made)
    done = step()
    assert done.returncode == 1 and "::error file=reports/reference.json" in done.stdout
    assert "### drift" in (tmp_path / "summary").read_text()
    assert "<failure" in (tmp_path / "reports" / "drift.xml").read_text()
