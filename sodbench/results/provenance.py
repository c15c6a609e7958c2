"""The provenance of a run: what was scored, how its maps were made, with which code on which machine.

Its folders are `recorded_paths`; `environment` finds out what runs now.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from sodbench.data.map_files import maps_now
from sodbench.files import sha256_of


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


def maps_digest(folder: Path, images: Sequence[str], pattern: str | None = None) -> str | None:
    """One SHA-256 over the maps that were scored, None where the folder does not hold them all."""
    maps = maps_now(folder, pattern)
    if not maps.keys() >= set(images):
        return None
    return digest_of((image, maps[image]) for image in images)
