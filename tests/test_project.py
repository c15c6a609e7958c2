"""What README, CI and the package promise of each other."""

import subprocess
import sys
import tomllib
from pathlib import Path

import sodbench
from sodbench.cli.main import COMMANDS, build_parser

TOP = Path(__file__).resolve().parents[1]


def test_ci_runs_the_test_command_of_the_readme() -> None:
    lines = (TOP / ".ci" / "run").read_text().splitlines()
    command = next(line for line in lines if "&& pytest" in line)
    assert command in (TOP / "README.md").read_text().splitlines()


def test_versions_agree() -> None:
    project = tomllib.loads((TOP / "pyproject.toml").read_text())["project"]
    assert project["version"] == sodbench.__version__


def test_every_command_has_help_with_an_example() -> None:
    parser = build_parser()
    (commands,) = (a for a in parser._actions if a.dest == "command")
    assert isinstance(commands.choices, dict)
    assert set(commands.choices) == set(COMMANDS)
    for name, command in commands.choices.items():
        text = command.format_help()
        assert f"sodbench {name}" in text, name
        assert "example: " in text, name


def test_importing_is_light() -> None:
    """No heavy package before it is used: `sodbench --help` and completion stay fast."""
    script = (
        "import sys, sodbench.cli.main as m; m.build_parser(); "
        "heavy = {'torch', 'numba', 'pandas', 'matplotlib', 'scipy', 'py_sod_metrics'}; "
        "print(sorted(heavy & set(sys.modules)))"
    )
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_imports_point_one_way() -> None:
    """docs/architecture.md: metrics and data know no model; the report reads records.

    The one upward call is how a run shows itself in a notebook.
    """
    allowed = ["sodbench/results/run.py: from sodbench.reporting.html_table import run_html"]
    forbidden = {
        "metrics": ("torch", "sodbench.models", "sodbench.data", "sodbench.results", "sodbench.reporting"),
        "data": ("sodbench.models", "sodbench.metrics", "sodbench.training", "sodbench.results"),
        "losses": ("sodbench.models", "sodbench.data", "sodbench.training"),
        "models": ("sodbench.training", "sodbench.results", "sodbench.reporting", "sodbench.metrics"),
        "results": ("sodbench.models", "sodbench.training", "sodbench.reporting"),
        "reporting": ("torch", "sodbench.models", "sodbench.training"),
    }
    wrong = []
    for package, names in forbidden.items():
        for path in (TOP / "sodbench" / package).rglob("*.py"):
            for line in path.read_text().splitlines():
                words = line.split()
                if len(words) > 1 and words[0] in ("import", "from"):
                    module = words[1]
                    if any(module == name or module.startswith(name + ".") for name in names):
                        wrong.append(f"{path.relative_to(TOP)}: {line.strip()}")
    assert wrong == allowed
