"""A network that Python code makes: one of this package, or the user's `module:callable`."""

import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from sodbench.errors import InputError, Note
from sodbench.models.callables import make_network
from sodbench.models.loaded_network import LoadedNetwork
from sodbench.models.network_source import NetworkSource, WeightsState
from sodbench.models.onnx_file import weights_digest

if TYPE_CHECKING:
    from torch import nn

# networks of this package by their registered name, imported when one is made
NETWORKS = {
    "basnet": "sodbench.models.networks.basnet:BASNet",
    "basnet-keras": "sodbench.models.networks.basnet_keras:BASNetKeras",
    "deeplabv3": "sodbench.models.networks.deeplab:DeepLabV3",
    "isnet": "sodbench.models.networks.isnet:ISNet",
    "u2net": "sodbench.models.networks.u2net:U2Net",
    "unet": "sodbench.models.networks.unet:UNet",
}


class RandomWeights(InputError):
    """A network's callable returns other weights each time."""


class CallableSource(NetworkSource):
    """The network as its callable returns it, with the weights of a file or with those it returns."""

    def build(self) -> "nn.Module":
        from sodbench.models.outputs import as_logits

        spec = NETWORKS.get(self.baseline.network, self.baseline.network)
        made = make_network(spec, self.baseline.options, self.baseline.name)
        return as_logits(made, self.baseline.output.kind)

    def load(self, weights: Path | None, device: str) -> LoadedNetwork:
        from sodbench.models.weights import load_into, load_state

        if weights is None and self._returns_weights:
            return self._load_returned(device)
        path = self.file_of(weights)
        digest = weights_digest(path)
        if weights is None:
            self.check_own(path, digest)
        network = self.build()
        load_into(network, load_state(path), f"{path} (for {self.baseline.name})")
        return self.loaded(network, device, path, digest)

    @property
    def has_weights(self) -> bool:
        return self._returns_weights or self.weights_path().is_file()

    @property
    def runs_own_code(self) -> bool:
        return ":" in self.baseline.network and self.baseline.network not in NETWORKS.values()

    @property
    def without_a_file(self) -> WeightsState:
        return "train" if self.baseline.weights is None else super().without_a_file

    @property
    def _returns_weights(self) -> bool:
        """Whether the user's callable provides the weights (no `[weights]` table, no file)."""
        own = ":" in self.baseline.network and self.baseline.weights is None
        return own and not self.weights_path().is_file()

    def _load_returned(self, device: str) -> LoadedNetwork:
        """The network as its callable returns it; two calls with different seeds must give the same state."""
        import torch

        from sodbench.models.outputs import unwrapped
        from sodbench.models.weights import check_values, state_digest

        name, spec = self.baseline.name, self.baseline.network
        digests = set()
        for seed in (0, 1):
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(seed)
                network = self.build()
            digests.add(state_digest(network.state_dict()))
        if len(digests) > 1:
            raise RandomWeights(
                f"{name}: {spec} returns other weights each time it is called: they are random; "
                "give trained ones with --weights FILE"
            )
        (digest,) = digests
        check_values({}, dict(unwrapped(network).named_parameters()), f"{name}: {spec}")
        warnings.warn(
            f"{name}: no weights file is named; those that {spec} returns are used (digest {digest[:16]}...)",
            Note,
            stacklevel=5,
        )
        return self.loaded(network, device, None, digest)
