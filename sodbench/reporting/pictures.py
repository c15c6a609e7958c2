"""The files behind a record: the picture, the mask and the saliency map of an image."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from sodbench.data.image_files import scan
from sodbench.results.run import Run

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Pictures:
    """Finds the files of one run's images; any of them may have been removed since the run was recorded."""

    run: Run

    def picture(self, image: str) -> Path | None:
        """The picture, None where it is not recorded or not available."""
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
        """Why there are no pictures and masks, as a sentence; empty where their folder exists."""
        if self.data_folder is None:
            return f"the record of {self.run.name} does not say where its pictures are"
        return "" if self.data_folder.is_dir() else f"the pictures are no longer in {self.data_folder}"

    def missing_maps(self) -> str:
        """Why there are no maps, as a sentence; empty where their folder exists."""
        if self.maps_folder is None:
            return f"the record of {self.run.name} does not say where its maps are"
        moved = f"the maps of {self.run.name} are no longer in {self.maps_folder}"
        return "" if self.maps_folder.is_dir() else moved

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
        """The file that the record names, if it exists."""
        if column not in self._facts or image not in self._facts.index or self.data_folder is None:
            return None
        name = self._facts.at[image, column]
        path = self.data_folder / name if isinstance(name, str) else None
        return path if path is not None and path.is_file() else None
