"""Runs with files on disk: small pictures, masks and maps of known quality."""

from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image
from results.stand_in import StandInDataset, StandInSample, table

from sodbench.metrics import Scorer
from sodbench.results.new_run import new_run
from sodbench.results.saving import save_run

SIZE = (48, 64)


def write_files(root: Path, images: int = 9) -> tuple[StandInSample, ...]:
    """A data set of noisy pictures with one bright block each."""
    draw = np.random.default_rng(0)
    samples = []
    for number in range(images):
        mask = np.zeros(SIZE, np.uint8)
        mask[12:36, 16:48] = 255
        picture = draw.integers(40, 90, (*SIZE, 3)).astype(np.uint8)
        picture[mask > 0] += 120
        name = f"{number:04d} {'ü#%' if number == 3 else ''}".strip()
        for folder, pixels, ending in (("images", picture, "jpg"), ("masks", mask, "png")):
            (root / folder).mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).save(root / folder / f"{name}.{ending}")
        samples.append(StandInSample(name, root / "images" / f"{name}.jpg", root / "masks" / f"{name}.png"))
    return tuple(samples)


def score(reports: Path, root: Path, samples: tuple[StandInSample, ...], method: str, shift: int) -> None:
    """Writes maps whose block slides out of the mask from image to image, scores and records them."""
    from sodbench.names import folder_name

    maps = root / "maps" / folder_name(method)
    maps.mkdir(parents=True)
    scorer = Scorer(keep_curves=True)
    for number, sample in enumerate(samples):
        mask = np.asarray(Image.open(sample.mask))
        saliency = np.roll(mask, (number * shift) % 40, axis=1)
        Image.fromarray(saliency).save(maps / f"{sample.name}.png")
        scorer.update(saliency, mask, name=sample.name)
    dataset = StandInDataset("blocks", "Blocks", len(samples), root, samples)
    run = new_run(method, dataset, {"pysodmetrics": scorer.result()}, maps=maps)
    save_run(reports, run)


def made(reports: Path, root: Path, methods: dict[str, int]) -> tuple[StandInSample, ...]:
    """Records of several methods on one data set with files; `methods`: how far maps slide per image."""
    samples = write_files(root)
    for method, shift in methods.items():
        score(reports, root, samples, method, shift)
    return samples


def nameless(reports: Path, method: str = "plain", dataset: str = "other", seed: int = 0) -> None:
    """A record without files, as if they had been removed."""
    frame = table(6, seed)
    save_run(reports, new_run(method, StandInDataset(dataset, dataset.upper(), 6), {"pysodmetrics": frame}))


def per_image(reports: Path, method: str, metric: str, dataset: str = "blocks") -> "pd.Series[float]":
    """One metric of a record, one row per image."""
    from sodbench.names import folder_name

    folder = reports / "runs" / folder_name(method) / dataset
    return pd.read_parquet(folder / "scores.parquet")[f"{metric}@pysodmetrics"]
