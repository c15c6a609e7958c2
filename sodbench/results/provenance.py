"""The provenance of a run: what was scored, how its maps were made, with which code on which machine.

A record is read on other machines than the one that wrote it, so the folders in it are not absolute:
`data-root:SOD/images` lies below the data root, `reports:../maps/DSS` starts at the reports folder, `cache:`
is the cache in which the embedded sample is made. `locate` finds them again.
"""

import hashlib
import importlib.metadata
import os
import platform
import subprocess  # nosec B404 # for git
import sys
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from sodbench import __version__
from sodbench.data.locations import cache_folder
from sodbench.errors import InputError
from sodbench.files import sha256_of
from sodbench.paths import real_path, user_path

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


@dataclass(frozen=True)
class Prediction:
    """How the maps of a run were predicted.

    baseline: a baseline's name, a portable path of its TOML file, or `module:callable`.
    weights: portable path of the weights file, None where the network brings its own.
    precision: "fp32", "bf16" or "fp16". batch: batch size. limit: number of images asked for, None for all.
    device: "cpu" or "cuda:N". output_kind: what the network's maps were taken for, "logits" or "probability".
    provider: the onnxruntime provider of an ONNX network.
    remote_code: SHA-256 of each file of code that came with a transformers model and ran, by its name.
    """

    baseline: str
    weights: str | None = None
    weights_sha256: str | None = None
    precision: str | None = None
    batch: int | None = None
    limit: int | None = None
    device: str = "cpu"
    output_kind: str | None = None
    provider: str | None = None
    remote_code: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class SelfCheck:
    """What a run scored a second time before it was recorded (`sodbench.self_check`).

    done: False where it was recorded without. images: the names of the images that were drawn. values: how
    many scores and points of curves were compared. against: by protocol, what they were compared with.
    """

    done: bool
    images: tuple[str, ...] = ()
    values: int = 0
    largest_difference: float = 0.0
    against: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        """One line, for a reader of the provenance."""
        if not self.done:
            return "off: recorded without"
        sources = ", ".join(dict.fromkeys(self.against.values()))
        return (
            f"{self.values} values of {len(self.images)} images agree with {sources}, "
            f"largest difference {self.largest_difference:.1e}"
        )


@dataclass(frozen=True)
class ShardOrigin:
    """Where one shard of a merged run comes from.

    shard: "3/16". images: how many it scored. started, seconds, device, inference_device: see `Provenance`.
    """

    shard: str
    images: int
    started: str = ""
    seconds: float = 0.0
    device: dict[str, Any] = field(default_factory=dict)
    inference_device: str | None = None


@dataclass(frozen=True)
class Provenance:
    """What the numbers of a run depend on besides its data set, weights and protocols.

    origin: "baseline" where sodbench predicted the maps, "maps" where they were made elsewhere.
    baseline, weights, precision, batch, limit, inference_device, output_kind, provider, remote_code: see
    `Prediction`.
    trust_remote_code: whether code that came with a model was allowed and ran.
    images_sha256: digest of the names of the images that were scored. maps_sha256: digest of their maps.
    manifest_sha256: digest of the manifest that pins the user's copy of the data set, where there is one.
    data_folder, maps, masks, images: portable paths (`data-root:`, `reports:`, `cache:`); masks and images
    only for an ad-hoc data set. started: ISO 8601, UTC. seconds: how long predicting and scoring took.
    versions: packages that can move a score. device: processor, system, GPU. code: git commit of sodbench.
    self_check: what was scored a second time; None in records of before there was a check.
    depends_on: what the scores depend on, part by part (`cell_key`); empty in records of before there were
    such.
    former_names: names that the run had before it was renamed, the first one first.
    map_pattern: which part of a map's file name is the name of its image, where it is not the stem
    (`{name}_sal.png`). map_resize: the filter by which maps of another size than their mask were resized
    under protocols that compare equal sizes only; None: such maps were refused. float_maps: how maps of
    floating-point numbers became 8-bit levels; None: there were none.
    shards: of a merged run, where its shards come from. `started` is then that of the first to start,
    `seconds` the sum over the shards; other fields are those of shard 1, or None where the shards differ.
    """

    origin: Literal["baseline", "maps"] = "maps"
    started: str = ""
    seconds: float = 0.0
    command: tuple[str, ...] = ()
    versions: dict[str, str] = field(default_factory=dict)
    device: dict[str, Any] = field(default_factory=dict)
    code: dict[str, Any] = field(default_factory=dict)
    images_sha256: str | None = None
    maps_sha256: str | None = None
    manifest_sha256: str | None = None
    data_folder: str | None = None
    maps: str | None = None
    masks: str | None = None
    images: str | None = None
    baseline: str | None = None
    weights: str | None = None
    precision: str | None = None
    batch: int | None = None
    limit: int | None = None
    inference_device: str | None = None
    output_kind: str | None = None
    provider: str | None = None
    trust_remote_code: bool = False
    remote_code: dict[str, str] = field(default_factory=dict)
    self_check: SelfCheck | None = None
    depends_on: dict[str, str] = field(default_factory=dict)
    former_names: tuple[str, ...] = ()
    map_pattern: str | None = None
    map_resize: str | None = None
    float_maps: str | None = None
    shards: tuple[ShardOrigin, ...] = ()


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


def portable(path: Path, reports: Path | None, roots: Iterable[Path] = ()) -> str:
    """`path` as records hold it: below a data root, below the cache, else relative to the reports folder.

    Absolute where there is no reports folder, or on another drive than it.
    """
    resolved = real_path(user_path(path))
    bases = [("data-root", root) for root in roots]
    with suppress(InputError):  # a user without a home has no cache
        bases.append(("cache", cache_folder()))
    for base, folder in bases:
        folder = real_path(user_path(folder))
        if resolved.is_relative_to(folder):
            return f"{base}:{resolved.relative_to(folder).as_posix()}"
    if reports is None:
        return resolved.as_posix()
    try:
        return "reports:" + Path(os.path.relpath(resolved, real_path(reports))).as_posix()
    except ValueError:  # another drive on Windows
        return resolved.as_posix()


def locate(recorded: str | None, reports: Path | None, roots: Sequence[Path] = ()) -> Path | None:
    """The place that a recorded path means on this machine; None for None.

    Of several data roots the first that holds it is taken, the first of all where none does. A path without
    a base, as older records hold it, is taken as it is.
    """
    if recorded is None:
        return None
    base, separator, rest = recorded.partition(":")
    if separator and base == "data-root":
        candidates = [root / rest for root in roots] or [Path(rest)]
        return next((path for path in candidates if path.exists()), candidates[0])
    if separator and base == "cache":
        return cache_folder() / rest
    if separator and base == "reports":
        start = Path(reports or ".")
        if real_path(start) != start.absolute():  # `..` leads elsewhere from behind a link
            start = real_path(start)
        # without the `..`, so that a page and a message show a plain path
        return Path(os.path.normpath(start / rest))
    return Path(recorded)


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


def names_digest(names: Iterable[str]) -> str:
    """The digest of the names of images: the field `images_sha256`."""
    return hashlib.sha256("\n".join(names).encode()).hexdigest()


def digest_of(files: Iterable[tuple[str, Path]]) -> str:
    """One SHA-256 over the names and contents of files, such as a folder of maps."""
    return digest_of_digests((name, sha256_of(path)) for name, path in files)


def digest_of_digests(files: Iterable[tuple[str, str]]) -> str:
    """What `digest_of` gives for files, from their names and SHA-256."""
    whole = hashlib.sha256()
    for name, content in files:
        whole.update(f"{name}\0{content}\n".encode())
    return whole.hexdigest()
