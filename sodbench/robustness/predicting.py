"""Images corrupted in memory, predicted on the path that `run` takes, their maps scored at once.

Memory holds two batches of images, the last few images and masks as they were read, and one row of numbers
per map.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from sodbench.data.folder import DataSet, Sample
    from sodbench.data.images import Pixels
    from sodbench.metrics import ScoreTable
    from sodbench.metrics.image_scores import ImageScores
    from sodbench.robustness.recorded import Network

Corruption: TypeAlias = tuple[str, int]  # kind and severity
CLEAN: Corruption = ("clean", 0)  # the place of the images as they are


@dataclass(frozen=True)
class Example:
    """An image of the worst cell: corrupted, its mask (moved where its objects are), its map, the clean map.

    All uint8; the corrupted image is H x W x 3, or narrower with the kind aspect, the others H x W.
    """

    name: str
    corrupted: Pixels
    mask: Pixels
    saliency_map: Pixels
    clean_map: Pixels


class StressPredictor:
    """A network's maps of corrupted images, at the size of the images as they are."""

    def __init__(self, network: Network) -> None:
        from sodbench.models.inference import Predictor

        recipe = network.loaded.baseline
        self._of = network
        self._predictor = Predictor(
            network.loaded.network, recipe, device=network.device, precision=network.precision
        )
        self._source = _Source()

    def measure(
        self, dataset: DataSet, samples: Sequence[Sample], corruptions: Sequence[Corruption], *, clean: bool
    ) -> dict[Corruption, list[ScoreTable]]:
        """The score tables of every protocol, by kind and severity; with `clean`, of the clean images too."""
        from tqdm import tqdm

        from sodbench.map_delivery import deliver_maps
        from sodbench.metrics.image_scores import measure_image
        from sodbench.metrics.mask import MaskCache
        from sodbench.metrics.scorer import scorers_for

        scoring, source = self._of.scoring, self._source
        places = [*([CLEAN] if clean else []), *corruptions]
        metrics = None if scoring.metrics is None else list(scoring.metrics)
        scorers = {place: scorers_for(scoring.protocols, metrics) for place in places}
        masks = MaskCache()
        items = [(sample, place) for sample in samples for place in places]
        label = f"stress {dataset.name}"

        def score(item: tuple[Sample, Corruption], made: Pixels) -> list[ImageScores]:
            sample, place = item
            saliency_map = self._at_full_size(made, sample)
            return measure_image(saliency_map, source.mask(sample, place), sample.name, scorers[place], masks)

        if scoring.progress:
            self._say_duration(dataset, samples, len(places))
        maps = deliver_maps(
            self._predictor,
            self._of.loaded.baseline,
            items,
            name=lambda item: f"{item[0].image}, {item[1][0]} at severity {item[1][1]}",
            read=lambda item: source.image(*item),
            deliver=score,
            batch=self._of.batch,
        )
        bar = tqdm(maps, total=len(items), desc=label, unit="map", disable=not scoring.progress)
        for (_, place), images in zip(items, bar, strict=True):
            for scorer, image in zip(scorers[place], images, strict=True):
                scorer.add(image)
        return {place: [scorer.result() for scorer in several] for place, several in scorers.items()}

    def examples(self, samples: Sequence[Sample], corruption: Corruption) -> tuple[Example, ...]:
        """The images under one corruption, with their maps and those of the clean images."""
        from sodbench.map_delivery import deliver_maps

        source = self._source
        maps = list(
            deliver_maps(
                self._predictor,
                self._of.loaded.baseline,
                [(sample, place) for sample in samples for place in (corruption, CLEAN)],
                name=lambda item: str(item[0].image),
                read=lambda item: source.image(*item),
                deliver=lambda item, made: self._at_full_size(made, item[0]),
                batch=self._of.batch,
            )
        )
        return tuple(
            Example(
                sample.name,
                source.image(sample, corruption),
                source.mask(sample, corruption),
                corrupted,
                clean,
            )
            for sample, corrupted, clean in zip(samples, maps[::2], maps[1::2], strict=True)
        )

    def _at_full_size(self, made: Pixels, sample: Sample) -> Pixels:
        """A map at the size of the image as it is, from which that of a squeezed one differs."""
        from sodbench.data.resizing import resize_map

        height, width = self._source.image(sample, CLEAN).shape[:2]
        return resize_map(made, (height, width), self._of.loaded.baseline.output.resample)

    def _say_duration(self, dataset: DataSet, samples: Sequence[Sample], places: int) -> None:
        """Prints how many maps there are to predict, and how long the network takes for them."""
        import numpy as np

        from sodbench.data.preprocessing import prepare

        tensor = prepare(self._source.image(samples[0], CLEAN), self._of.loaded.baseline.input)
        count = len(samples) * places
        inputs = np.stack([tensor] * min(self._of.batch, count))
        self._predictor(inputs)
        started = time.perf_counter()
        self._predictor(inputs)
        seconds = (time.perf_counter() - started) / len(inputs) * count
        line = f"{dataset.name}: {len(samples)} images x {places} predictions each = {count} maps"
        print(f"{line}, at least {_duration(seconds)}", file=sys.stderr)


class _Source:
    """Images and masks, corrupted; the last few are kept as they were read, for several threads."""

    def __init__(self) -> None:
        from sodbench.data.images import read_image, read_mask

        self._image = lru_cache(maxsize=4)(read_image)
        self._mask = lru_cache(maxsize=4)(read_mask)

    def image(self, sample: Sample, place: Corruption) -> Pixels:
        from sodbench.data.corruptions import corrupt

        assert sample.image is not None  # nosec B101 # for the type checker
        image = self._image(sample.image)
        return image if place == CLEAN else corrupt(image, *place, sample.name)

    def mask(self, sample: Sample, place: Corruption) -> Pixels:
        from sodbench.data.corruptions import moved_mask

        assert sample.mask is not None  # nosec B101 # for the type checker
        mask = self._mask(sample.mask)
        return mask if place == CLEAN else moved_mask(mask, *place, sample.name)


def _duration(seconds: float) -> str:
    if seconds < 100:
        return f"{max(1, seconds):.0f} seconds"
    return f"{seconds / 60:.0f} minutes" if seconds < 6000 else f"{seconds / 3600:.1f} hours"
