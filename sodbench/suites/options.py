"""How and where a suite is computed; of these only `device` may decide a score, by a baseline's precision."""

from dataclasses import dataclass
from pathlib import Path

from sodbench.shard import Shard


@dataclass(frozen=True)
class Options:
    """The folders and the settings of one computation of a suite.

    reports: the records. maps: the predicted maps, one folder per method. training: the trained networks, one
    folder per suite. data_root, device, batch, workers, replace: those of `evaluate`. loaders: processes that
    load training samples. keep_maps: whether predicted maps are kept. shard: the part of every cell that is
    computed. trust: whether code outside sodbench may run. progress: progress bars on stderr.
    """

    reports: Path = Path("reports")
    maps: Path = Path("maps")
    training: Path = Path("training")
    data_root: Path | None = None
    device: str | None = None
    batch: int | None = None
    workers: int | None = None
    loaders: int = 1
    keep_maps: bool = True
    shard: Shard | None = None
    replace: bool = False
    trust: bool = False
    progress: bool = False
