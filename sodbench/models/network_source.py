"""Where a baseline's network and its weights come from; one class for each kind of source follows this one.

The kinds: a callable of Python (`callable_source`), an ONNX file (`onnx_source`) and a model of transformers
(`transformers_source`).
"""

from abc import ABC, abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from sodbench.errors import InputError
from sodbench.files import md5_of
from sodbench.models.loaded_network import LoadedNetwork
from sodbench.models.settings import weights_folder
from sodbench.names import folder_name
from sodbench.paths import user_path

if TYPE_CHECKING:
    from torch import nn

    from sodbench.models.baseline import Baseline

WeightsState = Literal["present", "fetch", "train", "missing"]


class NetworkSource(ABC):
    """Makes and loads the network of one baseline."""

    suffix = ".pth"  # of a weights file that no TOML names

    def __init__(self, baseline: "Baseline") -> None:
        self.baseline = baseline

    @abstractmethod
    def build(self) -> "nn.Module":
        """A fresh network whose forward returns a tuple of logits; InputError where none can be made."""

    @abstractmethod
    def load(self, weights: Path | None, device: str) -> LoadedNetwork:
        """The network in eval mode with the weights of a file; None: its own."""

    @property
    @abstractmethod
    def has_weights(self) -> bool:
        """Whether `load` is to be tried without a file, rather than to make up random weights."""

    @property
    def runs_own_code(self) -> bool:
        """Whether the network is code outside this package, which runs when the network is made."""
        return False

    @property
    def without_a_file(self) -> WeightsState:
        """What can be done where the weights file is not there: fetch it, train it, or supply it."""
        weights = self.baseline.weights
        return "fetch" if weights is not None and weights.fetchable else "missing"

    def weights_path(self) -> Path:
        """The path of the baseline's own weights: next to its TOML file, else in the user's data folder."""
        weights = self.baseline.weights
        if weights is None or weights.file is None:
            return weights_folder() / f"{folder_name(self.baseline.name)}{self.suffix}"
        file = user_path(weights.file)
        if file.is_absolute():
            return file
        beside = self.baseline.path.parent / file if self.baseline.path else file
        # what ships lies beside the TOML; what is fetched goes to a folder that the user can write
        return beside if beside.is_file() or not weights.fetchable else weights_folder() / file.name

    def count_parameters(self) -> int:
        """The number of the network's parameters, counted without allocating them."""
        import torch

        with torch.device("meta"):
            return sum(p.numel() for p in self.build().parameters())

    def file_of(self, weights: Path | None) -> Path:
        """The weights file that is to be loaded; InputError, with what to do, where it is not there."""
        path = weights or self.weights_path()
        if not path.is_file():
            raise InputError(f"{path}: no such weights file" if weights else self.how_to_get(path))
        return path

    def check_own(self, path: Path, digest: str) -> None:
        """The baseline's own file must be the one its TOML names, or the one that was fetched."""
        weights = self.baseline.weights
        beside = path.with_name(path.name + ".sha256")
        expected = weights.sha256 if weights else None
        if weights and weights.md5 and (md5 := md5_of(path)) != weights.md5:
            raise self._other_file(path, f"MD5 {md5}, expected {weights.md5}")
        if expected is None and beside.is_file():
            expected = beside.read_text(encoding="utf-8").split()[0]
        if expected is not None and expected.lower() != digest:
            raise self._other_file(path, f"SHA-256 {digest}, expected {expected.lower()}")

    def how_to_get(self, path: Path) -> str:
        """What to do where the baseline's own weights are not there."""
        name, weights = self.baseline.name, self.baseline.weights
        problem = f"{name}: weights not found: expected {path}"
        if weights is not None and weights.fetchable:
            return (
                f"{problem}; run `sodbench baselines fetch {name}`, or put the file there "
                f"({weights.addresses}), or name one with --weights FILE"
            )
        note = f" ({weights.note})" if weights is not None and weights.note else ""
        trained = self.baseline.path and self.baseline.training
        train = f", or train it: `sodbench train {name}`" if trained else ""
        return f"{problem}{note}; name a file with --weights FILE{train}"

    def loaded(self, network: "nn.Module", device: str, path: Path | None, digest: str) -> LoadedNetwork:
        """The network in eval mode on its device; what its maps are is decided here."""
        from sodbench.models.outputs import Logits

        network.eval()
        if isinstance(network, Logits):
            # on the CPU, so that every device gets the same answer
            network.decide((self.baseline.input.height, self.baseline.input.width))
        return LoadedNetwork(network.to(device), path, digest, self.baseline)

    def _other_file(self, path: Path, difference: str) -> InputError:
        return InputError(
            f"{path}: {difference}; the file has changed: fetch it again "
            f"(`sodbench baselines fetch {self.baseline.name} --force`) or name it with --weights"
        )
