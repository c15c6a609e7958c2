"""Builds, installs and runs the wheel where nothing else is: `python -m tests.supply.check_wheel`.

The sdist is built, and the wheel from the sdist, so that both must be complete. Every file of the package,
of `baselines/` and of `datasets/` that the repository has must lie in the wheel. The wheel is installed into
a new environment, and the README's first command is run there: without environment variables, with an empty
home, in another folder. `--borrow` takes the dependencies from this environment instead of downloading them.
"""

import argparse
import subprocess
import sys
import tempfile
import venv
import zipfile
from pathlib import Path

from .pins import CONSTRAINTS, TOP

PLACES = {
    "sodbench": "sodbench",
    "baselines": "sodbench/_catalog/baselines",
    "datasets": "sodbench/_catalog/datasets",
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.supply.check_wheel", description=__doc__)
    parser.add_argument("--borrow", action="store_true", help="use the dependencies of this environment")
    borrow = parser.parse_args().borrow
    with tempfile.TemporaryDirectory(prefix="wheel-") as name:
        folder = Path(name)
        wheel = build(folder / "dist")
        missing = sorted(expected() - contents(wheel))
        for path in missing:
            print(f"{wheel.name}: {path} is missing", file=sys.stderr)
        python = install(wheel, folder / "environment", borrow)
        run(python, folder)
    print(f"{wheel.name}: {len(expected())} files expected, {len(missing)} missing; installed and run")
    return int(bool(missing))


def build(folder: Path) -> Path:
    """The wheel, built from the sdist."""
    _call([sys.executable, "-m", "build", "--outdir", str(folder), str(TOP)], cwd=folder.parent)
    (wheel,) = folder.glob("*.whl")
    return wheel


def expected() -> set[str]:
    """Where in the wheel each file of the repository belongs."""
    listed = _call(["git", "ls-files", "-z", *PLACES], cwd=TOP).split("\0")
    paths = {path.partition("/")[::2] for path in listed if path}
    return {f"{PLACES[top]}/{rest}" for top, rest in paths}


def contents(wheel: Path) -> set[str]:
    """The names of the files in the wheel."""
    with zipfile.ZipFile(wheel) as packed:
        return set(packed.namelist())


def install(wheel: Path, folder: Path, borrow: bool) -> Path:
    """The Python of a new environment with the wheel in it."""
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    options = ["--no-deps"] if borrow else ["-c", str(CONSTRAINTS)]
    if borrow:
        # packages are found here, after the environment's own; editable installs are not
        site = next(folder.glob("lib/python3*/site-packages"))
        folders = [entry for entry in sys.path if entry.endswith("site-packages")]
        (site / "borrowed.pth").write_text("\n".join(folders))
    _call([str(python), "-m", "pip", "install", "-q", "--ignore-installed", *options, str(wheel)], cwd=folder)
    return python


def run(python: Path, folder: Path) -> None:
    """The README's first command from the installed wheel, where nothing but it can be found."""
    home, here = folder / "home", folder / "elsewhere"
    home.mkdir()
    here.mkdir()
    bare = ["env", "-i", f"HOME={home}", f"PATH={python.parent}:/usr/bin:/bin", "OMP_WAIT_POLICY=passive"]
    place = _call([*bare, "python", "-c", "import sodbench; print(sodbench.__file__)"], cwd=here)
    if not Path(place.strip()).is_relative_to(python.parent.parent):
        raise SystemExit(f"the environment's sodbench is {place.strip()}, not the wheel's")
    for command in commands():
        output = _call([*bare, *command.split()], cwd=here)
        print(f"$ {command}\n{output}")


def commands() -> list[str]:
    """The commands of the README's first block that come after the installation."""
    lines = (TOP / "README.md").read_text(encoding="utf-8").splitlines()
    first = next(line for line in lines if line.startswith("python3 -m venv") and "sodbench run" in line)
    return [part.strip() for part in first.split("&&") if part.strip().startswith("sodbench")]


def _call(command: list[str], cwd: Path) -> str:
    cwd.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(command)}: exit code {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
