"""Where data lies: the data root with one folder a set, and the cache for what is made or fetched."""

import os
from dataclasses import dataclass
from pathlib import Path

import platformdirs

DATA_VARIABLE = "SODBENCH_DATA"
CACHE_VARIABLE = "SODBENCH_CACHE"


@dataclass(frozen=True)
class Root:
    """A data root and how it was chosen, for messages."""

    path: Path
    chosen_by: str


def data_root(argument: Path | None = None) -> Root:
    """The data root: the argument, else the environment's SODBENCH_DATA, else the user's data folder."""
    if argument is not None:
        return Root(argument.expanduser(), "--data-root")
    if named := os.environ.get(DATA_VARIABLE):
        return Root(Path(named).expanduser(), DATA_VARIABLE)
    return Root(platformdirs.user_data_path("sodbench", appauthor=False), "the user's data folder")


def cache_folder() -> Path:
    """The folder for made and half-fetched files: SODBENCH_CACHE, else the user's cache folder."""
    if named := os.environ.get(CACHE_VARIABLE):
        return Path(named).expanduser()
    return platformdirs.user_cache_path("sodbench", appauthor=False)
