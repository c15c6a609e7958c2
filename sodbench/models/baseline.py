"""A baseline - a network, its input, its weights and its recipe - and the network loaded with its weights.

Whatever the network returns (one tensor, a list, a dictionary, probabilities) is brought to the one form: a
tuple of logits, the final map first.
"""

import html
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from sodbench.errors import InputError, Note
from sodbench.files import md5_of, sha256_of
from sodbench.models.callables import make_network
from sodbench.models.onnx_file import read_onnx_file, weights_digest
from sodbench.models.settings import BaselineTable, weights_folder
from sodbench.models.transformers_folder import INDEX, TRANSFORMERS, ModelFolder, read_options
from sodbench.names import folder_name
from sodbench.paths import user_path

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
# what a baseline's `network` may say besides: the files that are named hold the network, too
IN_ITS_FILE = ("onnx", TRANSFORMERS)


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
        from sodbench.models.outputs import as_logits

        if self.is_onnx:
            raise InputError(
                f"{self.name}: an ONNX file holds a network with its weights: it can be run, not trained or "
                "made anew"
            )
        if self.network == TRANSFORMERS:
            from sodbench.models.transformers_network import fresh_network

            options = read_options(self.options, self.path or self.name)
            made = fresh_network(self._folder(), options, self.trust_remote_code)
            return as_logits(made, self.output.kind)
        spec = NETWORKS.get(self.network, self.network)
        return as_logits(make_network(spec, self.options, self.name), self.output.kind)

    def load(self, weights: str | Path | None = None, device: str = "cpu") -> "LoadedNetwork":
        """The network with its weights in eval mode: from `weights`, else the baseline's own file.

        A user's `module:callable` without a `[weights]` table runs with the state that the callable returns,
        if that state is always the same. Raises InputError for a missing file (the message says what to fetch
        and where to put it), for weights of another network and for random weights.
        """
        from sodbench.models.inference import choose_device
        from sodbench.models.weights import load_into, load_state

        device = choose_device(device)
        if self.network == TRANSFORMERS:
            own = weights is None or Path(weights) == self.weights_path()
            return self._load_model(None if own else Path(str(weights)), device)
        if weights is None and self.brings_its_weights:
            return self._load_own_state(device)
        path = Path(weights) if weights is not None else self.weights_path()
        if not path.is_file():
            raise InputError(f"{path}: no such weights file" if weights else self._how_to_get(path))
        digest = weights_digest(path)
        if weights is None:
            self._check_digest(path, digest)
        if self.is_onnx:
            from sodbench.models.onnx_network import load_onnx

            network, found = load_onnx(self, path, device)
            return LoadedNetwork(network.to(device), path, digest, found)
        network = self.build()
        load_into(network, load_state(path), f"{path} (for {self.name})")
        return self._loaded(network, device, path, digest)

    def load_or_build(self, weights: str | Path | None = None) -> "tuple[nn.Module, LoadedNetwork | None]":
        """The network in eval mode with its weights, or with random ones (seed 0) if it has none.

        For what does not depend on the weights. The second value is None where they are random.
        """
        import torch

        if weights is not None or self.weights_path().is_file() or self.is_onnx:
            loaded = self.load(weights)
            return loaded.network, loaded
        if self.brings_its_weights:
            try:
                loaded = self.load()
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
        return self.network == "onnx"

    @property
    def runs_own_code(self) -> bool:
        """Whether the network is code outside this package, which runs when the network is made."""
        if self.network == TRANSFORMERS:
            return self.model_folder is not None and bool(self.model_folder.code)
        return ":" in self.network and self.network not in NETWORKS.values()

    @property
    def remote_code(self) -> dict[str, str]:
        """SHA-256 of the files of code that make a transformers model's network; empty for any other."""
        return {} if self.model_folder is None else self.model_folder.code_digests()

    @property
    def brings_its_weights(self) -> bool:
        """Whether the user's callable provides the weights (no `[weights]` table, no file)."""
        return ":" in self.network and self.weights is None and not self.weights_path().is_file()

    def weights_path(self) -> Path:
        """The path of the baseline's own weights: next to its TOML file, else in the user's data folder."""
        if self.network == TRANSFORMERS and self.model_folder is not None:
            return self.model_folder.weights_path()
        if self.weights is None or self.weights.file is None:
            return weights_folder() / f"{folder_name(self.name)}{'.onnx' if self.is_onnx else '.pth'}"
        file = user_path(self.weights.file)
        if file.is_absolute():
            return file
        beside = self.path.parent / file if self.path else file
        # what ships lies beside the TOML; what is fetched goes to a folder that the user can write
        return beside if beside.is_file() or not self.weights.fetchable else weights_folder() / file.name

    @property
    def weights_state(self) -> Literal["present", "fetch", "train", "missing"]:
        """The weights: "present", "fetch", "train", or "missing" (the user has to supply the file)."""
        if self.weights_path().is_file():
            return "present"
        if self.network == TRANSFORMERS:
            return "fetch" if self.model_folder is None else "missing"
        if self.weights is None:
            return "missing" if self.is_onnx else "train"
        return "fetch" if self.weights.fetchable else "missing"

    def count_parameters(self) -> int:
        """The number of the network's parameters, counted without allocating them.

        Of an ONNX file, the real numbers that it holds as weights; InputError where it is not there.
        """
        import torch

        if self.is_onnx:
            path = self.weights_path()
            if not path.is_file():
                raise InputError(self._how_to_get(path))
            return read_onnx_file(path).parameters
        # transformers has its own ways to make a network without values, and code may need the values
        with torch.device("cpu" if self.network == TRANSFORMERS else "meta"):
            return sum(p.numel() for p in self.build().parameters())

    def _load_own_state(self, device: str) -> "LoadedNetwork":
        """The network as its callable returns it; two calls with different seeds must give the same state."""
        import torch

        from sodbench.models.outputs import unwrapped
        from sodbench.models.weights import check_values, state_digest

        digests = set()
        for seed in (0, 1):
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(seed)
                network = self.build()
            digests.add(state_digest(network.state_dict()))
        if len(digests) > 1:
            raise RandomWeights(
                f"{self.name}: {self.network} returns other weights each time it is called: they are random; "
                "give trained ones with --weights FILE"
            )
        (digest,) = digests
        check_values({}, dict(unwrapped(network).named_parameters()), f"{self.name}: {self.network}")
        warnings.warn(
            f"{self.name}: no weights file is named; those that {self.network} returns are used"
            f" (digest {digest[:16]}...)",
            Note,
            stacklevel=4,
        )
        return self._loaded(network, device, None, digest)

    def _folder(self) -> ModelFolder:
        """The model's folder; InputError, with what to do, where it is not on this machine."""
        if self.model_folder is None:
            model = self.options["model"]
            raise InputError(
                f"{model}: no such folder, and no model of this name in the hub's cache; `sodbench baselines "
                f"fetch {self.name}` downloads it, or name a folder with its files"
            )
        return self.model_folder

    def _load_model(self, weights: Path | None, device: str) -> "LoadedNetwork":
        """A transformers model with the weights of its folder, or with others."""
        from sodbench.models.outputs import as_logits
        from sodbench.models.transformers_network import load_network

        folder = self._folder()
        path = weights or folder.weights_path()
        if weights is None:
            digest = folder.weights_digest()
            self._check_digest(path, digest)
        elif weights.is_file():
            digest = sha256_of(weights)
        else:
            raise InputError(f"{weights}: no such weights file")
        options = read_options(self.options, self.path or self.name)
        network = load_network(folder, options, self.trust_remote_code, weights)
        own_path = None if path.name == INDEX else path
        return self._loaded(as_logits(network, self.output.kind), device, own_path, digest)

    def _loaded(self, network: "nn.Module", device: str, path: Path | None, digest: str) -> "LoadedNetwork":
        from sodbench.models.outputs import Logits

        network.eval()
        if isinstance(network, Logits):
            # on the CPU, so that every device gets the same answer
            network.decide((self.input.height, self.input.width))
        return LoadedNetwork(network.to(device), path, digest, self)

    def _check_digest(self, path: Path, digest: str) -> None:
        """The baseline's own file must be the one its TOML names, or the one that was fetched."""
        beside = path.with_name(path.name + ".sha256")
        expected = self.weights.sha256 if self.weights else None
        if self.weights and self.weights.md5 and (md5 := md5_of(path)) != self.weights.md5:
            raise self._other_file(path, f"MD5 {md5}, expected {self.weights.md5}")
        if expected is None and beside.is_file():
            expected = beside.read_text(encoding="utf-8").split()[0]
        if expected is not None and expected.lower() != digest:
            raise self._other_file(path, f"SHA-256 {digest}, expected {expected.lower()}")

    def _other_file(self, path: Path, difference: str) -> InputError:
        return InputError(
            f"{path}: {difference}; the file has changed: "
            f"fetch it again (`sodbench baselines fetch {self.name} --force`) or name it with --weights"
        )

    def _how_to_get(self, path: Path) -> str:
        problem = f"{self.name}: weights not found: expected {path}"
        if self.weights is not None and self.weights.fetchable:
            return (
                f"{problem}; run `sodbench baselines fetch {self.name}`, or put the file there "
                f"({self.weights.addresses}), or name one with --weights FILE"
            )
        note = f" ({self.weights.note})" if self.weights is not None and self.weights.note else ""
        train = f", or train it: `sodbench train {self.name}`" if self.path and self.training else ""
        return f"{problem}{note}; name a file with --weights FILE{train}"

    def __repr__(self) -> str:
        return f"<Baseline {self.name}: {self.title}; {self.input.height} x {self.input.width}>"

    def _repr_html_(self) -> str:
        return _html_table(self.name, self._facts())

    def _facts(self) -> dict[str, str]:
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


@dataclass(frozen=True, repr=False)
class LoadedNetwork:
    """A network in eval mode with its weights, and the baseline that it is.

    `weights_path` is None where the network's callable brought the weights; `weights_sha256` is then
    `weights.state_digest` of its state, else the digest of the file (`onnx_file.weights_digest`). Of an ONNX
    file the baseline holds what the file decides, such as the size of the input.
    """

    network: "nn.Module"
    weights_path: Path | None
    weights_sha256: str
    baseline: Baseline

    @property
    def output_kind(self) -> Literal["logits", "probability"]:
        """What the maps are that the network itself returns; for `kind = "auto"` what was decided."""
        kind: Literal["logits", "probability"] = getattr(self.network, "kind", "logits")
        return kind

    @property
    def parameters(self) -> int:
        """How many parameters the network has; of an ONNX file, real numbers that it holds as weights."""
        from sodbench.models.efficiency import count_parameters

        return count_parameters(self.network)

    def provider(self, device: str) -> str | None:
        """The onnxruntime provider that computes on a device; None for a network of torch."""
        if not self.baseline.is_onnx:
            return None
        from sodbench.models.onnx_network import provider

        return provider(device)

    def __repr__(self) -> str:
        return f"<LoadedNetwork {self.baseline.name}: {self.parameters:,} parameters, {self._weights()}>"

    def _repr_html_(self) -> str:
        facts = {**self.baseline._facts(), "parameters": f"{self.parameters:,}", "weights": self._weights()}
        return _html_table(self.baseline.name, {**facts, "maps": self.output_kind})

    def _weights(self) -> str:
        return f"{self.weights_path or 'its own weights'} (sha256 {self.weights_sha256[:16]}...)"


class RandomWeights(InputError):
    """A network's callable returns other weights each time."""


def _html_table(caption: str, facts: Mapping[str, str]) -> str:
    rows = "".join(f"<tr><th>{html.escape(k)}</th><td>{html.escape(v)}</td></tr>" for k, v in facts.items())
    return f"<table><caption>{html.escape(caption)}</caption>{rows}</table>"
