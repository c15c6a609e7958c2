"""Where a number comes from: package versions, device, code, command line, times."""

import hashlib
import importlib.metadata
import os
import platform
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sodbench import __version__

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
)


def collect(started: datetime | float | None = None, seed: int | None = None) -> dict[str, Any]:
    """The provenance of what runs now; `started`: an aware datetime or seconds since 1970."""
    now = datetime.now(UTC)
    if isinstance(started, int | float):
        started = datetime.fromtimestamp(started, UTC)
    elif started is not None:
        started = started.astimezone(UTC)
    begun = started or now
    return {
        "versions": versions(),
        "device": device(),
        "code": code_state(),
        "command": [Path(sys.argv[0]).name, *sys.argv[1:]],
        "seed": seed,
        "started": begun.isoformat(timespec="seconds"),
        "seconds": round((now - begun).total_seconds(), 3),
    }


def versions() -> dict[str, str]:
    """Versions of Python, sodbench and the packages that can move a score, picture decoders too."""
    found = {"python": platform.python_version(), "sodbench": __version__}
    for package in PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    from PIL import features

    for decoder, kind in (("libjpeg_turbo", "feature"), ("zlib", "codec")):
        version = features.version_feature(decoder) if kind == "feature" else features.version_codec(decoder)
        if version:
            found[decoder] = str(version)
    return found


def device() -> dict[str, Any]:
    """Processor, operating system, and the GPU where torch is already loaded and has one."""
    found: dict[str, Any] = {
        "system": f"{platform.system()} {platform.release()}",
        "machine": platform.machine(),
        "cpu": _processor(),
        "cores": os.cpu_count(),
    }
    torch = sys.modules.get("torch")  # never imported for this: a scoring run does without torch
    if torch is not None and torch.cuda.is_available():
        found["gpu"] = torch.cuda.get_device_name(0)
        found["gpus"] = torch.cuda.device_count()
    return found


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
    try:
        commit = _git(checkout, "rev-parse", "HEAD")
        changed = _git(
            checkout,
            "status",
            "--porcelain",
            "--untracked-files=no",
            "--",
            "sodbench",
            "baselines",
            "datasets",
        )
    except (OSError, subprocess.SubprocessError):
        return {"commit": None, "dirty": None}
    return {"commit": commit, "dirty": bool(changed)}


def _git(checkout: Path, *arguments: str) -> str:
    command = ["git", "-C", str(checkout), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=10).stdout.strip()


def digest_of(files: Sequence[tuple[str, Path]]) -> str:
    """One SHA-256 over the names and contents of files, such as a folder of maps."""
    whole = hashlib.sha256()
    for name, path in files:
        with path.open("rb") as file:
            content = hashlib.file_digest(file, "sha256").hexdigest()
        whole.update(f"{name}\0{content}\n".encode())
    return whole.hexdigest()
