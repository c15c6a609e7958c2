"""Runs a target: `python -m tests.fuzzing TARGET --seconds N`, or `all` of them.

With atheris the inputs follow what code they reach. Without it they are drawn at random from the seeds and
the corpus, with edits. Each new failure is written, shortened, to `corpus/TARGET/pending/`; the exit code is
then 1.
"""

import argparse
import importlib
import importlib.util
import pkgutil
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import ModuleType

from sodbench.metrics import kernels

from . import corpus
from .choices import Choices, edited_bytes
from .guard import Guard, failure_of

TARGETS = sorted(path.stem.removeprefix("fuzz_") for path in Path(__file__).parent.glob("fuzz_*.py"))
# pure Python readers of the formats, instrumented like the package
FORMATS = ["tomllib", "zipfile", "tarfile", "json", "PIL"]
LONGEST = 8192  # bytes of an input
HANG = 60  # seconds of one input after which atheris stops
MEMORY = 3000  # MB of the whole process


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzzing", description=__doc__)
    parser.add_argument("target", choices=[*TARGETS, "all"])
    parser.add_argument("--seconds", type=int, default=600, help="per target (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--settle", action="store_true", help="only keep what was pending and passes now")
    parser.add_argument("--keep", action="store_true", help="add inputs that reach new lines to the corpus")
    parser.add_argument("--plain", action="store_true", help="random inputs, also where atheris is installed")
    parser.add_argument("--worker", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.worker:
        return _follow_coverage(args.target, args.worker, args.seconds, args.seed)
    names = TARGETS if args.target == "all" else [args.target]
    if args.settle:
        return _settle(names)
    guided = importlib.util.find_spec("atheris") is not None and not args.plain
    failed = False
    for name in names:
        before = _pending(name)
        with tempfile.TemporaryDirectory(prefix="fuzzing-") as folder:
            work = Path(folder)
            run = _guided if guided else _at_random
            calls = run(name, work, args.seconds, args.seed)
            if args.keep:
                inputs = [path.read_bytes() for path in (work / "inputs").iterdir()]
                added = corpus.keep(name, _target(name), inputs)
                print(f"{name}: {added} inputs added to the corpus")
        new = _pending(name) - before
        failed |= bool(_pending(name))
        how = "atheris" if guided else "random"
        print(f"{name}: {calls} inputs ({how}), {len(new)} new findings, {len(_pending(name))} pending")
    return int(failed)


def _settle(names: list[str]) -> int:
    """Moves the inputs that no longer fail from `pending/` to the corpus."""
    for name in names:
        for path in sorted((corpus.FOLDER / name / "pending").glob("*")):
            failure = failure_of(_target(name).one_input, path.read_bytes())
            if failure is None:
                path.rename(corpus.FOLDER / name / path.name)
            print(f"{name}: {path.name}: {'settled' if failure is None else failure[1]}")
    return int(any(_pending(name) for name in names))


def _guided(name: str, work: Path, seconds: int, seed: int) -> int:
    """Runs workers until the time is over: a crash or a hang ends one and is kept as a finding."""
    (work / "inputs").mkdir()
    _write_seeds(_target(name), name, work / "inputs")
    end, calls, crashes = time.monotonic() + seconds, 0, 0
    while (left := int(end - time.monotonic())) > 0 and crashes < 10:
        command = [sys.executable, "-m", __spec__.parent, name, "--worker", str(work), "--seconds", str(left)]
        done = subprocess.run([*command, "--seed", str(seed + crashes)], stdin=subprocess.DEVNULL)
        counted = work / "calls"
        calls += int(counted.read_text()) if counted.exists() else 0
        artifacts = list(work.glob("*-*"))
        if done.returncode != 0 and not artifacts:
            raise SystemExit(f"{name}: the worker ended with exit code {done.returncode} and no input")
        for artifact in artifacts:
            pending = corpus.FOLDER / name / "pending"
            pending.mkdir(parents=True, exist_ok=True)
            (pending / artifact.name[:40]).write_bytes(artifact.read_bytes())
            artifact.unlink()
            print(f"found: {artifact.name[:40]}, which ended the process (exit code {done.returncode})")
        if done.returncode == 0:
            break
        crashes += 1
    return calls


def _follow_coverage(name: str, work: Path, seconds: int, seed: int) -> int:
    """One worker of atheris; it ends without returning."""
    import atheris

    # numba does not compile instrumented code: what is imported already stays as it is
    for module in pkgutil.iter_modules(kernels.__path__, f"{kernels.__name__}."):
        importlib.import_module(module.name)
    importlib.import_module("sodbench.data.grey_png")
    with atheris.instrument_imports(include=["sodbench", *FORMATS]):
        target = _target(name)
        for data in (*getattr(target, "seeds", list)(), *corpus.kept(name)):
            failure_of(target.one_input, data)  # imports what is imported on first use
    guard = Guard(target, corpus.FOLDER / name / "pending")

    def counted(data: bytes) -> None:
        guard(data)
        if guard.calls % 100 == 0:
            (work / "calls").write_text(str(guard.calls))

    options = [
        f"-max_total_time={seconds}", f"-seed={seed + 1}", f"-max_len={LONGEST}", f"-timeout={HANG}",
        f"-rss_limit_mb={MEMORY}", f"-artifact_prefix={work}/", "-verbosity=0", "-report_slow_units=1000000",
    ]  # fmt: skip
    atheris.Setup([name, *options, str(work / "inputs")], counted)
    atheris.Fuzz()
    return 0


def _at_random(name: str, work: Path, seconds: int, seed: int) -> int:
    """Edits of seeds and of the corpus, drawn at random."""
    target = _target(name)
    guard = Guard(target, corpus.FOLDER / name / "pending")
    draw = random.Random(seed)
    (work / "inputs").mkdir()
    inputs = [*getattr(target, "seeds", list)(), *corpus.kept(name)] or [b""]
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        data = draw.choice(inputs)
        if draw.random() < 0.5:
            data = data[:2] + draw.randbytes(draw.randrange(64))
        else:
            data = data[:2] + edited_bytes(data[2:], Choices(draw.randbytes(24)))
        guard(data[:LONGEST])
        if draw.random() < 0.01:
            (work / "inputs" / str(guard.calls)).write_bytes(data[:LONGEST])
    return guard.calls


def _target(name: str) -> ModuleType:
    return importlib.import_module(f".fuzz_{name}", __package__)


def _write_seeds(target: ModuleType, name: str, folder: Path) -> None:
    for number, data in enumerate((*getattr(target, "seeds", list)(), *corpus.kept(name))):
        (folder / f"seed-{number}").write_bytes(data)


def _pending(name: str) -> set[str]:
    return {path.name for path in (corpus.FOLDER / name / "pending").glob("*")}


if __name__ == "__main__":
    sys.exit(main())
