"""Picture files to saliency-map files: decoding, the network and encoding overlap."""

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from sodbench.data.folder import Sample
from sodbench.data.images import read_image, write_map
from sodbench.data.preprocessing import InputSpec, finish, prepare
from sodbench.errors import InputError
from sodbench.models.registry import Baseline

if TYPE_CHECKING:
    from torch import nn

_Prepared = tuple[npt.NDArray[np.float32], tuple[int, int], Path]


def predict_files(
    network: "nn.Module",
    baseline: Baseline,
    pairs: Iterable[tuple[Path, Path]],
    *,
    batch: int | None = None,
    device: str = "cpu",
    precision: str | None = None,
    progress: str | None = None,
) -> int:
    """Writes one 8-bit PNG a picture, at the picture's own size; returns how many.

    `pairs` are (picture, PNG to write). Each map is written whole as soon as it is finished, so that after an
    interruption the finished ones are there. `batch` is the number of pictures a pass, None what
    `default_batch` says; `precision` is fp32, bf16 or fp16, None the baseline's.
    `progress` names the bar on stderr. Raises InputError for a picture that cannot be read.
    """
    from tqdm import tqdm

    from sodbench.models.inference import Predictor

    todo = list(pairs)
    batch = batch or default_batch(device)
    predictor = Predictor(network, baseline, device=device, precision=precision)
    bar = tqdm(total=len(todo), desc=progress, unit="map", disable=progress is None)
    # pictures wait in memory for at most two batches; maps for two more
    with bar, ThreadPoolExecutor(2) as decoders, ThreadPoolExecutor(2) as encoders:
        written: deque[Future[None]] = deque()
        try:
            for group in _batches(_decoded(decoders, todo, baseline.input, 2 * batch), batch):
                maps = predictor(np.stack([p[0] for p in group]))
                for probability, (_, size, out) in zip(maps, group, strict=True):
                    stretch = baseline.output.stretch
                    written.append(encoders.submit(_encode, probability, size, stretch, out))
                while len(written) > 2 * batch:
                    written.popleft().result()
                    bar.update()
            while written:
                written.popleft().result()
                bar.update()
        except BaseException:
            decoders.shutdown(wait=False, cancel_futures=True)
            raise
    return len(todo)


def predict_samples(
    network: "nn.Module",
    baseline: Baseline,
    samples: Iterable[Sample],
    folder: Path,
    *,
    batch: int | None = None,
    device: str = "cpu",
    precision: str | None = None,
    progress: str | None = None,
) -> list[tuple[Sample, Path]]:
    """Writes the map of every sample to `folder/<name>.png`; returns the samples with their maps.

    The other arguments are those of `predict_files`. Raises InputError for a sample without a picture.
    """
    pairs = [(sample, folder / f"{sample.name}.png") for sample in samples]
    pictures = []
    for sample, path in pairs:
        if sample.image is None:
            raise InputError(f"{sample.name}: has no picture to predict from; the data set holds masks only")
        pictures.append((sample.image, path))
    predict_files(
        network, baseline, pictures, batch=batch, device=device, precision=precision, progress=progress
    )
    return pairs


def default_batch(device: str) -> int:
    """Pictures a pass: what `benchmarks/inference.py` found fastest on two CPU cores; more on a GPU."""
    return 4 if device.startswith("cpu") else 16


def predict_array(
    network: "nn.Module",
    baseline: Baseline,
    image: npt.NDArray[np.uint8],
    *,
    device: str = "cpu",
    precision: str | None = None,
) -> npt.NDArray[np.uint8]:
    """The saliency map of one picture H x W x 3 (RGB), uint8 H x W."""
    from sodbench.models.inference import Predictor

    predictor = Predictor(network, baseline, device=device, precision=precision)
    probability = predictor(prepare(image, baseline.input)[None])[0]
    return finish(probability, (image.shape[0], image.shape[1]), baseline.output.stretch)


def _decoded(
    pool: ThreadPoolExecutor, pairs: list[tuple[Path, Path]], spec: InputSpec, ahead: int
) -> Iterator[_Prepared]:
    """Prepared pictures in order, decoded `ahead` of their use."""
    waiting = iter(pairs)
    queue = deque(pool.submit(_decode, pair, spec) for pair in islice(waiting, ahead))
    while queue:
        ready = queue.popleft().result()
        queue.extend(pool.submit(_decode, pair, spec) for pair in islice(waiting, 1))
        yield ready


def _decode(pair: tuple[Path, Path], spec: InputSpec) -> _Prepared:
    image = read_image(pair[0])
    return prepare(image, spec), (image.shape[0], image.shape[1]), pair[1]


def _encode(probability: npt.NDArray[np.float32], size: tuple[int, int], stretch: bool, out: Path) -> None:
    write_map(out, finish(probability, size, stretch))


def _batches(items: Iterator[_Prepared], size: int) -> Iterator[list[_Prepared]]:
    while group := list(islice(items, size)):
        yield group
