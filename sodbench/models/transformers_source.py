"""A model of transformers: a folder with its configuration and weights."""

from pathlib import Path
from typing import TYPE_CHECKING

from sodbench.errors import InputError
from sodbench.files import sha256_of
from sodbench.models.loaded_network import LoadedNetwork
from sodbench.models.network_source import NetworkSource, WeightsState
from sodbench.models.transformers_folder import INDEX, ModelFolder, ModelOptions, read_options

if TYPE_CHECKING:
    from torch import nn


class TransformersSource(NetworkSource):
    """The model of a folder, or of the hub's cache."""

    def build(self) -> "nn.Module":
        from sodbench.models.outputs import as_logits
        from sodbench.models.transformers_network import fresh_network

        made = fresh_network(self._folder(), self._options(), self.baseline.trust_remote_code)
        return as_logits(made, self.baseline.output.kind)

    def load(self, weights: Path | None, device: str) -> LoadedNetwork:
        from sodbench.models.outputs import as_logits
        from sodbench.models.transformers_network import load_network

        if weights == self.weights_path():
            weights = None
        folder = self._folder()
        path = weights or folder.weights_path()
        if weights is None:
            digest = folder.weights_digest()
            self.check_own(path, digest)
        else:
            digest = sha256_of(self.file_of(weights))
        network = load_network(folder, self._options(), self.baseline.trust_remote_code, weights)
        own_path = None if path.name == INDEX else path
        return self.loaded(as_logits(network, self.baseline.output.kind), device, own_path, digest)

    @property
    def has_weights(self) -> bool:
        return self.weights_path().is_file()

    @property
    def runs_own_code(self) -> bool:
        return self.baseline.model_folder is not None and bool(self.baseline.model_folder.code)

    @property
    def without_a_file(self) -> WeightsState:
        return "fetch" if self.baseline.model_folder is None else "missing"

    def weights_path(self) -> Path:
        """The weights file of the folder, or the index of several."""
        folder = self.baseline.model_folder
        return super().weights_path() if folder is None else folder.weights_path()

    def count_parameters(self) -> int:
        """The number of the network's parameters.

        transformers has its own ways to make a network without values, and code may need the values.
        """
        return sum(p.numel() for p in self.build().parameters())

    def _options(self) -> ModelOptions:
        return read_options(self.baseline.options, self.baseline.path or self.baseline.name)

    def _folder(self) -> ModelFolder:
        """The model's folder; InputError, with what to do, where it is not on this machine."""
        if self.baseline.model_folder is None:
            raise InputError(
                f"{self.baseline.options['model']}: no such folder, and no model of this name in the hub's "
                f"cache; `sodbench baselines fetch {self.baseline.name}` downloads it, or name a folder with "
                "its files"
            )
        return self.baseline.model_folder
