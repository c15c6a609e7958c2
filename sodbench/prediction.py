"""Images to saliency maps, as arrays or as files."""

from collections.abc import Iterable, Iterator, Sized
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, TypeVar, cast, overload

import numpy as np
from PIL import Image

from sodbench.arguments import BATCH
from sodbench.data.folder import Sample
from sodbench.data.images import Pixels, read_image, rgb_pixels, write_map
from sodbench.data.overwriting import refuse_overwriting
from sodbench.data.picture_files import check_sides
from sodbench.errors import InputError
from sodbench.map_delivery import deliver_maps
from sodbench.models.baseline import Baseline
from sodbench.models.loaded_network import LoadedNetwork
from sodbench.models.lookup import baseline_of, load_baseline

if TYPE_CHECKING:
    from torch import nn


Picture = Pixels | Image.Image | str | Path
R = TypeVar("R")
# Pillow decodes a file on its first use, and one object must not be decoded by two threads
_DECODING = Lock()


@overload
def predict(  # type: ignore[overload-overlap]  # an array is an iterable, too
    baseline: "str | Path | Baseline | LoadedNetwork | nn.Module",
    pictures: Picture,
    *,
    weights: str | Path | None = None,
    batch: int | None = None,
    device: str | None = None,
    precision: str | None = None,
    trust_remote_code: bool = False,
    progress: bool = False,
) -> Pixels: ...


@overload
def predict(
    baseline: "str | Path | Baseline | LoadedNetwork | nn.Module",
    pictures: Iterable[Picture],
    *,
    weights: str | Path | None = None,
    batch: int | None = None,
    device: str | None = None,
    precision: str | None = None,
    trust_remote_code: bool = False,
    progress: bool = False,
) -> list[Pixels]: ...


def predict(
    baseline: "str | Path | Baseline | LoadedNetwork | nn.Module",
    pictures: Picture | Iterable[Picture],
    *,
    weights: str | Path | None = None,
    batch: int | None = None,
    device: str | None = None,
    precision: str | None = None,
    trust_remote_code: bool = False,
    progress: bool = False,
) -> Pixels | list[Pixels]:
    """Predicts saliency maps, H x W uint8 at each image's size: one for a single image, else a list.

    baseline: a name, a TOML file, `module:callable`, a `Baseline`, the result of its `load`, or a network
        with an attribute `baseline` (a `Baseline`, or a table like a TOML file's).
    pictures: arrays (H x W x 3 RGB, H x W x 4 RGBA or H x W grey, all uint8), PIL images, paths, or an
        iterable of these. A generator is read at most two batches ahead, so only the maps stay in memory.
    weights: a weights file instead of the baseline's own.
    batch: images per forward pass (None: 4; 16 on a GPU).
    device: "cpu", "cuda", "cuda:1" (None: a GPU if available).
    precision: "fp32", "bf16" or "fp16" (None: the baseline's).
    trust_remote_code: whether code that comes with a transformers model may run.

    The maps are identical to those that `sodbench predict` writes. Transparency is ignored, and the EXIF
    orientation is applied. Loading the network takes most of the time of a call with one image: pass all
    images at once.

    Raises InputError that names the image (by path or index) that cannot be used, or whose map is not finite.
    """
    from sodbench.models.inference import Predictor, choose_device

    device = choose_device(device)
    network, of = _network_of(baseline, weights, trust_remote_code)
    single = isinstance(pictures, str | Path | Image.Image) or _is_one_array(pictures)
    found: object = pictures
    if isinstance(found, bytes) or not (single or isinstance(found, Iterable)):
        raise InputError(
            f"pictures: expected arrays, PIL images, paths, or an iterable of these, found "
            f"{type(found).__name__}"
        )
    items = enumerate(cast("Iterable[Picture]", [pictures] if single else pictures))
    predictor = Predictor(network, of, device=device, precision=precision)
    batch = batch_size(batch, device)
    maps = deliver_maps(
        predictor,
        of,
        items,
        name=lambda item: _name(item[1], item[0]),
        read=lambda item: _pixels(item[1], item[0]),
        deliver=lambda _, m: m,
        batch=batch,
    )
    total = 1 if single else len(pictures) if isinstance(pictures, Sized) else None
    made = counted(maps, total, "predict" if progress else None)
    return made[0] if single else made


def predict_files(
    network: "nn.Module",
    baseline: Baseline,
    pairs: Iterable[tuple[Path, Path]],
    *,
    batch: int | None = None,
    device: str | None = "cpu",
    precision: str | None = None,
    progress: str | None = None,
) -> int:
    """Writes one 8-bit PNG per image, at the image's own size; returns how many.

    `pairs` are (image, PNG to write). Each map is written whole as soon as it is finished, so that after an
    interruption the finished ones are there. `batch` is the number of images per forward pass, None what
    `default_batch` says; `precision` is fp32, bf16 or fp16, None the baseline's.
    `progress` names the bar on stderr. Raises InputError for an image that cannot be read, for one whose map
    is not finite, and before any work for a map that would lie among the images.
    """
    from sodbench.models.inference import Predictor, choose_device

    device = choose_device(device)
    todo = list(pairs)
    refuse_overwriting((path for _, path in todo), (image for image, _ in todo), "the folder of the maps")
    predictor = Predictor(network, baseline, device=device, precision=precision)
    batch = batch_size(batch, device)
    written = deliver_maps(
        predictor,
        baseline,
        todo,
        name=lambda pair: str(pair[0]),
        read=lambda pair: read_image(pair[0]),
        deliver=lambda pair, m: write_map(pair[1], m),
        batch=batch,
    )
    return len(counted(written, len(todo), progress))


def predict_samples(
    network: "nn.Module",
    baseline: Baseline,
    samples: Iterable[Sample],
    folder: Path,
    *,
    batch: int | None = None,
    device: str | None = "cpu",
    precision: str | None = None,
    progress: str | None = None,
) -> list[tuple[Sample, Path]]:
    """Writes the map of every sample to `folder/<name>.png`; returns the samples with their maps.

    The other arguments are those of `predict_files`. Raises InputError for a sample without an image.
    """
    pairs = [(sample, folder / f"{sample.name}.png") for sample in samples]
    images = images_of([sample for sample, _ in pairs])
    predict_files(
        network,
        baseline,
        [(image, path) for image, (_, path) in zip(images, pairs, strict=True)],
        batch=batch,
        device=device,
        precision=precision,
        progress=progress,
    )
    return pairs


def images_of(samples: Iterable[Sample]) -> list[Path]:
    """The images of the samples; InputError for a sample without one."""
    images = []
    for sample in samples:
        if sample.image is None:
            raise InputError(f"{sample.name}: has no image to predict from; the data set holds masks only")
        images.append(sample.image)
    return images


def default_batch(device: str) -> int:
    """Images per forward pass: the fastest on two CPU cores (`benchmarks/inference.py`); more on a GPU."""
    return 4 if device.startswith("cpu") else 16


def counted(items: Iterator[R], total: int | None, label: str | None) -> list[R]:
    """All items, counted by a bar on stderr where there is a label."""
    from tqdm import tqdm

    return list(tqdm(items, total=total, desc=label, unit="map", disable=label is None))


def batch_size(batch: int | None, device: str) -> int:
    return default_batch(device) if batch is None else BATCH.checked("batch", batch)


def _network_of(
    baseline: "str | Path | Baseline | LoadedNetwork | nn.Module",
    weights: str | Path | None,
    trust_remote_code: bool,
) -> "tuple[nn.Module, Baseline]":
    if isinstance(baseline, str | Path):
        baseline = load_baseline(baseline, trust_remote_code=trust_remote_code)
    if isinstance(baseline, Baseline):
        baseline = baseline.load(weights)
    elif weights is not None:
        raise InputError("weights: the network is already loaded; pass a baseline to use other weights")
    if isinstance(baseline, LoadedNetwork):
        return baseline.network, baseline.baseline
    from sodbench.models.outputs import as_logits

    of = baseline_of(baseline)
    return as_logits(baseline, of.output.kind), of


def _is_one_array(pictures: object) -> bool:
    return isinstance(pictures, np.ndarray) and pictures.ndim < 4


def _name(picture: Picture, index: int) -> str:
    return str(picture) if isinstance(picture, str | Path) else f"image {index}"


def _pixels(picture: Picture, index: int) -> Pixels:
    """The image as H x W x 3 RGB, uint8; InputError names it by its path or index."""
    if isinstance(picture, str | Path):
        return read_image(Path(picture))
    name = _name(picture, index)
    if isinstance(picture, Image.Image):
        with _DECODING:
            return rgb_pixels(picture, name)
    expected = "uint8 of H x W x 3, H x W x 4 or H x W, a PIL image or a path"
    if not isinstance(picture, np.ndarray):
        raise InputError(f"{name}: expected {expected}, found {type(picture).__name__}")
    if isinstance(picture, np.ma.MaskedArray) and np.ma.is_masked(picture):
        raise InputError(f"{name}: a masked array with masked values; fill them, for example with .filled(0)")
    channels = picture.shape[2] if picture.ndim == 3 else 1
    fits = picture.dtype == np.uint8 and picture.ndim in (2, 3) and channels in (1, 3, 4)
    if not fits or not picture.size:
        raise InputError(f"{name}: expected {expected}, found {picture.dtype} of shape {picture.shape}")
    check_sides(picture.shape[1], picture.shape[0], name)
    if channels == 1:
        return np.repeat(picture.reshape(*picture.shape[:2], 1), 3, axis=2)
    return np.ascontiguousarray(picture[:, :, :3])
