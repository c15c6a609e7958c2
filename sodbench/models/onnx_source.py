"""An ONNX file, which holds a network with its weights."""

from pathlib import Path
from typing import TYPE_CHECKING

from sodbench.errors import InputError
from sodbench.models.loaded_network import LoadedNetwork
from sodbench.models.network_source import NetworkSource
from sodbench.models.onnx_file import read_onnx_file, weights_digest

if TYPE_CHECKING:
    from torch import nn

ONNX = "onnx"  # what `network` says in a baseline's TOML


class OnnxSource(NetworkSource):
    """The network of an ONNX file: it can be run, not made anew."""

    suffix = ".onnx"

    def build(self) -> "nn.Module":
        raise InputError(
            f"{self.baseline.name}: an ONNX file holds a network with its weights: it can be run, not "
            "trained or made anew"
        )

    def load(self, weights: Path | None, device: str) -> LoadedNetwork:
        from sodbench.models.onnx_network import load_onnx

        path = self.file_of(weights)
        digest = weights_digest(path)
        if weights is None:
            self.check_own(path, digest)
        network, found = load_onnx(self.baseline, path, device)
        return LoadedNetwork(network.to(device), path, digest, found)

    @property
    def has_weights(self) -> bool:
        return True

    def count_parameters(self) -> int:
        """The real numbers that the file holds as weights; InputError where it is not there."""
        return read_onnx_file(self.file_of(None)).parameters
