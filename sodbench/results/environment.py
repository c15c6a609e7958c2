"""What runs now, as a provenance holds it: command line, versions, processor and GPU, git commit."""

import importlib.metadata
import os
import platform
import subprocess  # nosec B404 # for git
import sys
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sodbench import __version__
from sodbench.paths import real_path

# packages that can move a score; a drift report names those whose version differs
PACKAGES = (
    "numpy",
    "scipy",
    "pandas",
    "pyarrow",
    "numba",
    "pillow",
    "scikit-image",
    "opencv-python-headless",
    "opencv-python",
    "pysodmetrics",
    "torch",
    "torchvision",
    "onnxruntime",
    "onnxruntime-gpu",
    "transformers",
)


def environment(started: datetime | float | None = None, roots: Iterable[Path] = ()) -> dict[str, Any]:
    """What runs now: the fields started, seconds, command, versions, device and code of a `Provenance`.

    `started`: an aware datetime or seconds since 1970. `roots`: data roots, which the recorded command line
    names as `DATA_ROOT` instead of by their path on this machine.
    """
    now = datetime.now(UTC)
    begun = now if started is None else _in_utc(started)
    return {
        "started": started_text(begun),
        "seconds": round((now - begun).total_seconds(), 3),
        "command": command_line(roots),
        "versions": versions(),
        "device": device(),
        "code": code_state(),
    }


def changes_since(versions: Mapping[str, Any], device: Mapping[str, Any]) -> list[str]:
    """What differs between the record's versions and processor and today's, as notes."""
    today = environment()
    now = today["versions"]
    names = sorted({*versions, *now})
    changed = [f"{n} {versions.get(n)} -> {now.get(n)}" for n in names if versions.get(n) != now.get(n)]
    notes = [f"versions differ: {', '.join(changed)}"] if changed else []
    if device.get("cpu") != today["device"].get("cpu"):
        notes.append(f"the processor was {device.get('cpu')}, it is {today['device'].get('cpu')}")
    return notes


def started_text(started: datetime | float) -> str:
    """The field `started` of a time: ISO 8601, UTC, to the second."""
    return _in_utc(started).isoformat(timespec="seconds")


def _in_utc(moment: datetime | float) -> datetime:
    if isinstance(moment, datetime):
        return moment.astimezone(UTC)
    return datetime.fromtimestamp(moment, UTC)


def command_line(roots: Iterable[Path] = ()) -> tuple[str, ...]:
    """The command line of this process without absolute paths, which mean nothing on another machine.

    A path below a data root becomes `DATA_ROOT/...`, one below the working directory relative; of any other
    the name is kept: `.../mine.pth`.
    """
    called = Path(sys.argv[0] if sys.argv and sys.argv[0] else "python")
    # `python -m sodbench`
    program = "sodbench" if called.parts[-2:] == ("sodbench", "__main__.py") else called.name
    if program.startswith("ipykernel_launcher"):
        return ("notebook",)
    return (program, *(_without_absolute_path(argument, list(roots)) for argument in sys.argv[1:]))


def _without_absolute_path(argument: str, roots: list[Path]) -> str:
    option, separator, value = argument.partition("=") if argument.startswith("-") else ("", "", argument)
    path = Path(value)
    if not path.is_absolute():
        return argument
    for root, name in [*((root, "DATA_ROOT") for root in roots), (Path.cwd(), ".")]:
        if real_path(path).is_relative_to(real_path(root)):
            return option + separator + Path(name, real_path(path).relative_to(real_path(root))).as_posix()
    return f"{option}{separator}.../{path.name}"


def versions() -> dict[str, str]:
    """Versions of Python, sodbench and the packages that can move a score, image decoders too."""
    installed = {"python": platform.python_version(), "sodbench": __version__}
    for package in PACKAGES:
        try:
            installed[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    from PIL import features

    for decoder, kind in (("libjpeg_turbo", "feature"), ("zlib", "codec")):
        version = features.version_feature(decoder) if kind == "feature" else features.version_codec(decoder)
        if version:
            installed[decoder] = str(version)
    return installed


def device() -> dict[str, Any]:
    """Processor, operating system, and the GPU where torch is already loaded and has one."""
    facts: dict[str, Any] = {
        "system": platform.system(),
        "machine": platform.machine(),
        "cpu": _processor(),
        "cores": os.cpu_count(),
    }
    torch = sys.modules.get("torch")  # never imported for this: a scoring run does without torch
    if torch is not None and torch.cuda.is_available():
        facts["gpu"] = torch.cuda.get_device_name(0)
        facts["gpus"] = torch.cuda.device_count()
    return facts


def processor_name(device: str) -> str:
    """The name of what computes on a torch device: the GPU's, or the processor's."""
    if device.startswith("cuda"):
        import torch

        return str(torch.cuda.get_device_name(device))
    return _processor()


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def code_state() -> dict[str, Any]:
    """Git commit of sodbench's own checkout and whether it was changed; None for an installed package."""
    checkout = Path(__file__).resolve().parents[2]
    if not (checkout / ".git").exists():
        return {"commit": None, "dirty": None}
    folders = ("sodbench", "baselines", "datasets")
    try:
        commit = _git(checkout, "rev-parse", "HEAD")
        changed = _git(checkout, "status", "--porcelain", "--untracked-files=no", "--", *folders)
    except (OSError, subprocess.SubprocessError):
        return {"commit": None, "dirty": None}
    return {"commit": commit, "dirty": bool(changed)}


def _git(checkout: Path, *arguments: str) -> str:
    command = ["git", "-C", str(checkout), *arguments]
    done = subprocess.run(  # nosec B603 # no shell; git with fixed arguments
        command, capture_output=True, text=True, check=True, timeout=10
    )
    return done.stdout.strip()
