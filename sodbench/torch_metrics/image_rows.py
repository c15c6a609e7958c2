"""One image's scores as a row of whole numbers, and the data set's scores from the rows of all processes.

A row holds what the scores are computed from: the columns and the curves of the chosen metrics, stored
as 64-bit integers, which no `.half()` and no `.to(dtype)` touches. Means over rows are exact sums, so they do
not depend on how the images were shared out.
"""

from collections.abc import Sequence
from hashlib import blake2b
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sodbench.errors import InputError, first_of
from sodbench.metrics.aggregate import dataset_scores
from sodbench.metrics.inputs import SizeMismatchError
from sodbench.metrics.kernels.sums import RunningMean
from sodbench.metrics.protocol import Protocol
from sodbench.metrics.scorer import Scorer
from sodbench.torch_metrics.batches import Values, mask_levels, saliency_map

Row = NDArray[np.int64]
NAME = 64  # bytes of a name in a row
SIGNED, MASK = 0, 1  # the first numbers of a row: what it was scored with, and the digest of its mask
VALUES = 2 + NAME // 8  # then the name, then the values


class ImageRows:
    """Measures images under a protocol, one row per image, and scores tables of such rows."""

    def __init__(
        self, protocol: str | Path | Protocol, metrics: Sequence[str] | None, stretch: bool = False
    ) -> None:
        """The arguments of `SaliencyMetrics`; raises InputError for unknown names."""
        self.scorer = Scorer(protocol, metrics)
        self.stretch = stretch
        self.protocol, self.families = self.scorer.protocol, self.scorer.families
        inputs = [family.inputs(self.protocol) for family in self.families]
        self.columns = list(dict.fromkeys(name for one in inputs for name in one.columns))
        # most curves have a value per level, those of calibration one per bin
        probe = np.zeros((8, 8), np.uint8)
        probe[2:6, 2:6] = 255
        sizes = {
            name: curve.size for name, curve in self.scorer.measure(probe, probe, "probe").curves.items()
        }
        self.curves: dict[str, slice] = {}  # where each curve lies among the values
        end = len(self.columns)
        for name in dict.fromkeys(name for one in inputs for name in one.curves):
            self.curves[name] = slice(end, end + sizes[name])
            end += sizes[name]
        self.width = VALUES + end
        text = repr((self.protocol, [family.name for family in self.families], stretch))
        self.signed = _number(text.encode())

    def measure(self, probability: Values, mask: Values, name: str | None, title: str) -> Row:
        """The row of one image; `name` None: it counts however often it comes. `title` names it in errors."""
        levels, grey = saliency_map(probability, title, self.stretch), mask_levels(mask, title)
        try:
            image = self.scorer.measure(levels, grey, title)
        except SizeMismatchError as error:
            raise InputError(
                f"{error.sizes} (height x width); protocol {self.protocol.name} compares equal sizes only: "
                "resize the probabilities to the mask's size with torch.nn.functional.interpolate"
            ) from None
        row = np.zeros(self.width, np.int64)
        row[SIGNED] = self.signed
        row[MASK] = _number(grey.tobytes() + repr(grey.shape).encode())
        row[MASK + 1 : VALUES] = np.frombuffer(_key(name), np.int64)
        values = row[VALUES:].view(np.float64)
        values[: len(self.columns)] = [image.columns[name] for name in self.columns]
        for curve, place in self.curves.items():
            values[place] = image.curves[curve]
        return row

    def joined(self, tables: Sequence[Tensor]) -> Tensor:
        """The rows of one process as one table."""
        self._check(tables)
        full = [one.cpu() for one in tables if len(one)]
        return torch.cat(full) if full else torch.empty((0, self.width), dtype=torch.int64)

    def counted(self, tables: Sequence[Tensor]) -> Tensor:
        """All rows of all processes, given as one table each: of a name that comes again, the first row.

        Raises InputError where a process scored with other settings, where images of one name have different
        masks, and where a process has scored a name twice with different maps. Maps of different processes
        may differ: the same network gives other last digits in another batch, or on another device.
        """
        rows = self.joined(tables).numpy()
        processes = [process for process, one in enumerate(tables) for _ in range(len(one))]
        first: dict[bytes, int] = {}
        kept, other_mask, other_map = [], [], []
        for index, row in enumerate(rows):
            key = row[MASK + 1 : VALUES].tobytes()
            earlier = first.setdefault(key, index) if any(key) else index
            if earlier == index:
                kept.append(index)
            elif rows[earlier, MASK] != row[MASK]:
                other_mask.append(_shown(key))
            elif processes[earlier] == processes[index] and (rows[earlier] != row).any():
                other_map.append(_shown(key))
        if other_mask:
            raise InputError(
                f"name given twice, with different masks: {first_of(other_mask, 3)}; expected one name per "
                "image, for example the data set and the stem"
            )
        if other_map:
            raise InputError(
                f"name given twice, with different maps: {first_of(other_map, 3)}; call reset() after every "
                "compute(), and give every image its own name"
            )
        return torch.from_numpy(rows[kept])

    def scores(self, table: Tensor) -> dict[str, float]:
        """The data set's scores by metric name; raises InputError where the table is empty."""
        if not len(table):
            raise InputError("nothing to score: no image was given; expected an update before compute")
        values = np.ascontiguousarray(table.numpy()[:, VALUES:]).view(np.float64)
        running = RunningMean(values.shape[1])
        running.add(values)
        means = running.mean()
        return dataset_scores(
            {name: values[:, index] for index, name in enumerate(self.columns)},
            {name: means[place] for name, place in self.curves.items()},
            self.protocol,
            families=self.families,
        )

    def _check(self, tables: Sequence[Tensor]) -> None:
        for process, one in enumerate(tables):
            if len(one) and (one.shape[1] != self.width or bool((one[:, SIGNED] != self.signed).any())):
                raise InputError(
                    f"process {process} scored under another protocol, other metrics or another `stretch` "
                    f"than {self.protocol.name} here; expected the same SaliencyMetrics in all processes"
                )


def _key(name: str | None) -> bytes:
    """A name in `NAME` bytes: as it is, or its beginning and a digest of the whole."""
    data = (name or "").encode("utf-8", "surrogatepass")
    if len(data) > NAME:
        data = data[: NAME // 2] + blake2b(data, digest_size=NAME // 2).digest()
    return data.ljust(NAME, b"\0")


def _shown(key: bytes) -> str:
    return key.rstrip(b"\0").decode("utf-8", "replace")


def _number(data: bytes) -> int:
    return int.from_bytes(blake2b(data, digest_size=8).digest(), "little", signed=True)
