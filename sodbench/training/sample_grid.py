"""A figure of the network's maps of a few fixed training samples, drawn during training."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch import nn

from sodbench.data.folder import Sample
from sodbench.data.preprocessing import prepare, stacks, without_padding
from sodbench.errors import InputError
from sodbench.files import atomic_path
from sodbench.training.augmentation import Pixels
from sodbench.training.samples import read_pair

if TYPE_CHECKING:
    from sodbench.models.baseline import Baseline

_ROWS = 6
_TILE = (128, 128)


class SampleGrid:
    """Draws one row per sample: image, mask, and every output of the network, the final map first."""

    def __init__(self, baseline: "Baseline", samples: Sequence[Sample], folder: Path) -> None:
        self.baseline, self.folder = baseline, folder
        self.pairs: list[tuple[Pixels, Pixels]] = []
        # spread evenly over the set
        for sample in samples[:: max(1, len(samples) // _ROWS)][:_ROWS]:
            try:
                self.pairs.append(read_pair(sample))
            except InputError:  # the trainer reports or tolerates it
                continue

    def draw(self, iteration: int, network: nn.Module) -> None:
        """Writes the grid of the network after step `iteration` to `<folder>/<step>.png`."""
        if not self.pairs:
            return
        spec = self.baseline.input
        device = next(network.parameters()).device
        was_training = network.training
        network.eval()
        maps: dict[int, list[npt.NDArray[np.float32]]] = {}
        with torch.no_grad():
            for indices, x in stacks([prepare(image, spec) for image, _ in self.pairs]):
                outputs = [torch.sigmoid(output.float()) for output in network(torch.from_numpy(x).to(device))]
                for place, index in enumerate(indices):
                    maps[index] = [output[place, 0].cpu().numpy() for output in outputs]
        network.train(was_training)
        rows = []
        for number, (image, mask) in enumerate(self.pairs):
            shown = [without_padding(p, mask.shape, spec.fit) for p in maps[number]]
            levels = [np.rint(p * 255).astype(np.uint8) for p in shown]
            rows.append(np.hstack([_tile(pixels) for pixels in (image, mask, *levels)]))
        with atomic_path(self.folder / f"{iteration:07d}.png") as part:
            Image.fromarray(np.vstack(rows)).save(part, "PNG")


def _tile(pixels: Pixels) -> Pixels:
    return np.asarray(Image.fromarray(pixels).convert("RGB").resize(_TILE))
