"""The files behind a record (picture, mask, map of an image), and what a map got wrong as a picture."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sodbench.data.image_files import scan
from sodbench.results.run import Run

if TYPE_CHECKING:
    import pandas as pd

Pixels = NDArray[np.uint8]
# false positive and false negative: Okabe and Ito's blue and vermilion, apart for every kind of colour
# vision; the lightness differs too
FALSE_POSITIVE = (0, 114, 178)
FALSE_NEGATIVE = (230, 110, 0)


@dataclass(frozen=True)
class Pictures:
    """Finds the files of one run's images; any of them may be gone since the run was recorded."""

    run: Run

    def picture(self, image: str) -> Path | None:
        """The picture, None where the record does not know it or it is gone."""
        return self._there(self._listed("image_file", image))

    def mask(self, image: str) -> Path | None:
        """The ground-truth mask, None where it is gone."""
        return self._there(self._listed("mask_file", image))

    def map(self, image: str) -> Path | None:
        """The saliency map, None where it is gone."""
        return self._maps.get(image)

    @property
    def data_folder(self) -> Path | None:
        return self.run.data_folder()

    @property
    def maps_folder(self) -> Path | None:
        return self.run.maps_folder()

    def missing(self) -> str:
        """Which folder is gone, as a sentence for the reader; empty where both are there."""
        return self.missing_data() or self.missing_maps()

    def missing_data(self) -> str:
        """Says that the pictures and masks are gone, empty where their folder is there."""
        if self.data_folder is None:
            return f"the record of {self.run.name} does not say where its pictures are"
        return "" if self.data_folder.is_dir() else f"the pictures are no longer in {self.data_folder}"

    def missing_maps(self) -> str:
        """Says that the maps are gone, empty where their folder is there."""
        if self.maps_folder is None:
            return f"the record of {self.run.name} does not say where its maps are"
        gone = f"the maps of {self.run.name} are no longer in {self.maps_folder}"
        return "" if self.maps_folder.is_dir() else gone

    @cached_property
    def _facts(self) -> "pd.DataFrame":
        return self.run.image_facts()

    @cached_property
    def _maps(self) -> dict[str, Path]:
        folder = self.maps_folder
        if folder is None or not folder.is_dir():
            return {}
        return {path.stem: path for path in scan(folder).pictures}

    def _listed(self, column: str, image: str) -> Path | None:
        if column not in self._facts or image not in self._facts.index or self.data_folder is None:
            return None
        name = self._facts.at[image, column]
        return self.data_folder / str(name) if isinstance(name, str) else None

    @staticmethod
    def _there(path: Path | None) -> Path | None:
        return path if path is not None and path.is_file() else None


def error_overlay(picture: Pixels | None, mask: Pixels, saliency: Pixels) -> Pixels:
    """What the map got wrong, over the darkened grey picture; H x W x 3 uint8.

    Blue where the map says object and the mask does not (false positive), orange where the mask says object
    and the map does not (false negative), in proportion to the error; light where both agree on object; the
    mask's boundary is a white line. `picture` is H x W x 3, `mask` and `saliency` are H x W, all uint8.
    """
    there = mask.astype(np.float32)[..., None] / 255
    said = saliency.astype(np.float32)[..., None] / 255
    ground = np.zeros((*mask.shape, 1), np.float32)
    if picture is not None:
        ground = picture.astype(np.float32).mean(axis=2, keepdims=True)
    false_positive, false_negative = said * (1 - there), there * (1 - said)
    agreed = there * said
    colour = 0.35 * ground * (1 - agreed) + (90 + 0.6 * ground) * agreed
    colour = colour * (1 - 0.75 * (false_positive + false_negative))
    colour = colour + 0.75 * (
        false_positive * np.array(FALSE_POSITIVE, np.float32)
        + false_negative * np.array(FALSE_NEGATIVE, np.float32)
    )
    colour = np.where(boundary(mask)[..., None], 255, colour)
    return np.clip(colour + 0.5, 0, 255).astype(np.uint8)


def boundary(mask: Pixels) -> NDArray[np.bool_]:
    """The object's pixels that touch the background (4 neighbours), H x W; the picture's edge is none."""
    inside = np.pad(mask > 127, 1, mode="edge")
    core = inside[:-2, 1:-1] & inside[2:, 1:-1] & inside[1:-1, :-2] & inside[1:-1, 2:]
    return np.asarray(inside[1:-1, 1:-1] & ~core)


def thumbnail(pixels: Pixels, longest: int) -> Any:
    """A Pillow image of at most `longest` pixels a side; never enlarged."""
    from PIL import Image

    image = Image.fromarray(pixels)
    image.thumbnail((longest, longest), Image.Resampling.BILINEAR)
    return image


def scores_of_image(run: Run, image: str) -> dict[str, float]:
    """All scores of one image by full metric name, in the order in which tables print them."""
    from sodbench.report.labels import label, order

    found: dict[str, float] = {}
    for protocol, table in run.tables.items():
        if image in table.per_image.index:
            row = table.per_image.loc[[image]].iloc[0]
            names = [str(metric) for metric in row.index if label(str(metric)).better]
            found |= {f"{name}@{protocol}": float(row[name]) for name in sorted(names, key=order)}
    return found
