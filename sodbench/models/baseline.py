"""A baseline: a network, its input, its weights and its recipe.

Whatever the network returns (one tensor, a list, a dictionary, probabilities) is brought to the one form: a
tuple of logits, the final map first.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from sodbench.models.callable_source import NETWORKS, CallableSource, RandomWeights
from sodbench.models.loaded_network import LoadedNetwork, html_table
from sodbench.models.network_source import NetworkSource, WeightsState
from sodbench.models.onnx_source import ONNX, OnnxSource
from sodbench.models.settings import BaselineTable
from sodbench.models.transformers_folder import TRANSFORMERS, ModelFolder
from sodbench.models.transformers_source import TransformersSource

if TYPE_CHECKING:
    from torch import nn

# what `network` says where the files that are named hold the network; else it names a callable
IN_ITS_FILE: dict[str, type[NetworkSource]] = {ONNX: OnnxSource, TRANSFORMERS: TransformersSource}


@dataclass(frozen=True, kw_only=True, repr=False)
class Baseline(BaselineTable):
    """A network and everything needed to use it; the fields of its TOML file are those of `BaselineTable`.

    `path` is the TOML file, the ONNX file, or the folder of a transformers model that is named without one;
    None where there is none. `stated` are the keys that a TOML file states ("input.height"), which an ONNX
    file does not override. `model_folder` is a transformers model's folder, None where it is not on this
    machine. `trust_remote_code`: whether the user allows the code that comes with such a model; no file can
    say so.
    """

    name: str
    path: Path | None = None
    stated: frozenset[str] = field(default=frozenset(), compare=False)
    model_folder: ModelFolder | None = None
    trust_remote_code: bool = False

    def build(self) -> "nn.Module":
        """A fresh network, as its callable returns it, whose forward returns a tuple of logits.

        Raises InputError for an ONNX file, which holds one network with its weights.
        """
        return self._network_source.build()

    def load(self, weights: str | Path | None = None, device: str = "cpu") -> LoadedNetwork:
        """The network with its weights in eval mode: from `weights`, else the baseline's own file.

        A user's `module:callable` without a `[weights]` table runs with the state that the callable returns,
        if that state is always the same. Raises InputError for a missing file (the message says what to fetch
        and where to put it), for weights of another network and for random weights.
        """
        from sodbench.models.inference import choose_device

        device = choose_device(device)
        return self._network_source.load(None if weights is None else Path(weights), device)

    def load_or_build(self, weights: str | Path | None = None) -> "tuple[nn.Module, LoadedNetwork | None]":
        """The network in eval mode with its weights, or with random ones (seed 0) if it has none.

        For what does not depend on the weights. The second value is None where they are random.
        """
        import torch

        if weights is not None or self._network_source.has_weights:
            try:
                loaded = self.load(weights)
            except RandomWeights:
                pass
            else:
                return loaded.network, loaded
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            return self.build().eval(), None

    @property
    def is_onnx(self) -> bool:
        """Whether the weights file is an ONNX file, which holds the network, too."""
        return self.network == ONNX

    @property
    def runs_own_code(self) -> bool:
        """Whether the network is code outside this package, which runs when the network is made."""
        return self._network_source.runs_own_code

    @property
    def remote_code(self) -> dict[str, str]:
        """SHA-256 of the files of code that make a transformers model's network; empty for any other."""
        return {} if self.model_folder is None else self.model_folder.code_digests()

    def weights_path(self) -> Path:
        """The path of the baseline's own weights: next to its TOML file, else in the user's data folder."""
        return self._network_source.weights_path()

    @property
    def weights_state(self) -> WeightsState:
        """The weights: "present", "fetch", "train", or "missing" (the user has to supply the file)."""
        return "present" if self.weights_path().is_file() else self._network_source.without_a_file

    def count_parameters(self) -> int:
        """The number of the network's parameters, counted without allocating them.

        Of an ONNX file, the real numbers that it holds as weights; InputError where it is not there.
        """
        return self._network_source.count_parameters()

    def facts(self) -> dict[str, str]:
        """What a notebook shows of the baseline: title, network, input, published numbers."""
        facts = {"title": self.title, "network": self.network}
        if self.network in NETWORKS:  # a user's callable may take long or fetch something
            facts["parameters"] = f"{self.count_parameters():,}"
        facts["input"] = f"{self.input.height} x {self.input.width}"
        published = self.published.get("scores", {})
        for dataset, scores in published.items():
            facts[f"published, {dataset}"] = ", ".join(f"{name} {value}" for name, value in scores.items())
        if published:
            facts["source"] = str(self.published.get("source", ""))
        return facts

    @property
    def _network_source(self) -> NetworkSource:
        return IN_ITS_FILE.get(self.network, CallableSource)(self)

    def __repr__(self) -> str:
        return f"<Baseline {self.name}: {self.title}; {self.input.height} x {self.input.width}>"

    def _repr_html_(self) -> str:
        return html_table(self.name, self.facts())
