"""The image, mask and map files of a recorded run, and the error overlay of a map."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sodbench.results.run import Run

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Pictures:
    """Finds the files of one run's images; any of them may have been removed since the run was recorded."""

    run: Run

    def picture(self, image: str) -> Path | None:
        """The image, None where it is not recorded or not available."""
        return self._listed("image_file", image)

    def mask(self, image: str) -> Path | None:
        """The ground-truth mask, None where it is not recorded or not available."""
        return self._listed("mask_file", image)

    def map(self, image: str) -> Path | None:
        """The saliency map, None where it is not available."""
        return self._maps.get(image)

    @property
    def data_folder(self) -> Path | None:
        """The folder of the data set, None where it is not recorded."""
        return self.run.data_folder()

    @property
    def maps_folder(self) -> Path | None:
        """The folder of the saliency maps, None where it is not recorded."""
        return self.run.maps_folder()

    def missing(self) -> str:
        """Which folder is not available, as a sentence; empty where both are."""
        return self.missing_data() or self.missing_maps()

    def missing_data(self) -> str:
        """Why there are no images and masks, as a sentence; empty where their folder exists."""
        if self.data_folder is None:
            return f"the record of {self.run.name} does not say where its images are"
        return "" if self.data_folder.is_dir() else f"the images are no longer in {self.data_folder}"

    def missing_maps(self) -> str:
        """Why there are no maps, as a sentence; empty where their folder exists."""
        if not self.run.maps_kept:
            return f"the maps of {self.run.name} were not kept"
        if self.maps_folder is None:
            return f"the record of {self.run.name} does not say where its maps are"
        moved = f"the maps of {self.run.name} are no longer in {self.maps_folder}"
        return "" if self.maps_folder.is_dir() else moved

    @cached_property
    def _facts(self) -> "pd.DataFrame":
        return self.run.image_facts()

    @cached_property
    def _maps(self) -> dict[str, Path]:
        return self.run.map_files()

    def _listed(self, column: str, image: str) -> Path | None:
        """The file that the record names, if it exists."""
        if column not in self._facts or image not in self._facts.index or self.data_folder is None:
            return None
        name = self._facts.at[image, column]
        path = self.data_folder / name if isinstance(name, str) else None
        return path if path is not None and path.is_file() else None


Pixels = NDArray[np.uint8]
# Okabe and Ito's blue and vermilion: they differ for every kind of colour vision, and in lightness
FALSE_POSITIVE = (0, 114, 178)
FALSE_NEGATIVE = (230, 110, 0)


def error_overlay(picture: Pixels | None, mask: Pixels, saliency: Pixels) -> Pixels:
    """The errors of a map over the darkened grey image; H x W x 3, uint8.

    False positives (object in the map only) are blue and false negatives (object in the mask only) orange,
    in proportion to the error. What is object in both is light; the boundary of the mask is a white line.
    `picture` is H x W x 3 or None, `mask` and `saliency` are H x W, all uint8.
    """
    truth = mask.astype(np.float32)[..., None] / 255
    predicted = saliency.astype(np.float32)[..., None] / 255
    ground = np.zeros((*mask.shape, 1), np.float32)
    if picture is not None:
        ground = picture.astype(np.float32).mean(axis=2, keepdims=True)
    false_positive, false_negative = predicted * (1 - truth), truth * (1 - predicted)
    agreed = truth * predicted
    colour = 0.35 * ground * (1 - agreed) + (90 + 0.6 * ground) * agreed
    colour = colour * (1 - 0.75 * (false_positive + false_negative))
    colour = colour + 0.75 * (
        false_positive * np.array(FALSE_POSITIVE, np.float32)
        + false_negative * np.array(FALSE_NEGATIVE, np.float32)
    )
    colour = np.where(boundary(mask)[..., None], 255, colour)
    return np.clip(colour + 0.5, 0, 255).astype(np.uint8)


def boundary(mask: Pixels) -> NDArray[np.bool_]:
    """The object's pixels with a background pixel among their 4 neighbours, H x W.

    Outside the image there is no background: an object that touches the edge has no boundary there.
    """
    inside = np.pad(mask > 127, 1, mode="edge")
    core = inside[:-2, 1:-1] & inside[2:, 1:-1] & inside[1:-1, :-2] & inside[1:-1, 2:]
    return np.asarray(inside[1:-1, 1:-1] & ~core)
