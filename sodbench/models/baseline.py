"""Baselines: a network, its input, its weights and its recipe, read from `baselines/*.toml`.

A name is that of a TOML file (shipped, or in the user's `./baselines`), or a network's own:
`package.module:callable` or `file.py:callable`, where the callable returns a torch module. Whatever the
network returns (one tensor, a list, a dictionary, probabilities) is brought to the one form: a tuple of
logits, the final map first.
"""

import dataclasses
import html
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from sodbench import catalog
from sodbench.errors import InputError, Note, unknown_names
from sodbench.files import sha256_of
from sodbench.models.callables import find_callable, make_network
from sodbench.models.settings import BaselineTable, read_table, weights_folder
from sodbench.names import folder_name
from sodbench.schema import wrong

if TYPE_CHECKING:
    import pandas as pd
    from torch import nn

# networks of this package by their registered name, imported when one is made
NETWORKS = {
    "basnet": "sodbench.models.networks.basnet:BASNet",
    "basnet-keras": "sodbench.models.networks.basnet_keras:BASNetKeras",
    "deeplabv3": "sodbench.models.networks.deeplab:DeepLabV3",
    "unet": "sodbench.models.networks.unet:UNet",
}


@dataclass(frozen=True, kw_only=True, repr=False)
class Baseline(BaselineTable):
    """A network and everything needed to use it; `BaselineTable` holds the fields that a TOML file has.

    `path` is the TOML file, None where there is none.
    """

    name: str
    path: Path | None = None

    def build(self) -> "nn.Module":
        """A fresh network, as its callable returns it, whose forward returns a tuple of logits."""
        from sodbench.models.outputs import as_logits

        spec = NETWORKS.get(self.network, self.network)
        return as_logits(make_network(spec, self.options, self.name), self.output.kind)

    def load(self, weights: str | Path | None = None, device: str = "cpu") -> "LoadedNetwork":
        """The network with its weights in eval mode: from `weights`, else the baseline's own file.

        A user's `module:callable` without a `[weights]` table runs with the state that the callable returns,
        if that state is always the same. Raises InputError for a missing file (the message says what to fetch
        and where to put it), for weights of another network and for random weights.
        """
        from sodbench.models.weights import load_into, load_state

        if weights is None and self.brings_its_weights:
            return self._load_own_state(device)
        path = Path(weights) if weights is not None else self.weights_path()
        if not path.is_file():
            raise InputError(f"{path}: no such weights file" if weights else self._how_to_get(path))
        digest = sha256_of(path)
        if weights is None:
            self._check_digest(path, digest)
        network = self.build()
        load_into(network, load_state(path), f"{path} (for {self.name})")
        return self._loaded(network, device, path, digest)

    def load_or_build(self, weights: str | Path | None = None) -> "tuple[nn.Module, LoadedNetwork | None]":
        """The network in eval mode with its weights, or with random ones (seed 0) where it has none yet.

        For what does not depend on the weights. The second value is None where they are random.
        """
        import torch

        if weights is not None or self.weights_path().is_file():
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
    def brings_its_weights(self) -> bool:
        """Whether the weights are those that a user's callable returns: no `[weights]` table, no file."""
        return ":" in self.network and self.weights is None and not self.weights_path().is_file()

    def weights_path(self) -> Path:
        """Where the baseline's own weights are or belong: beside its TOML, else in the user's data folder."""
        if self.weights is None or self.weights.file is None:
            return weights_folder() / f"{folder_name(self.name)}.pth"
        file = Path(self.weights.file).expanduser()
        if file.is_absolute():
            return file
        beside = self.path.parent / file if self.path else file
        # what ships lies beside the TOML; what is fetched goes to a folder that the user can write
        return beside if beside.is_file() or not self.weights.fetchable else weights_folder() / file.name

    @property
    def weights_state(self) -> Literal["present", "fetch", "train", "missing"]:
        """Whether the weights are present, else how to get them; "missing": only a person can say."""
        if self.weights_path().is_file():
            return "present"
        if self.weights is None:
            return "train"
        return "fetch" if self.weights.fetchable else "missing"

    def count_parameters(self) -> int:
        """The number of the network's parameters; no memory is taken for them."""
        import torch

        with torch.device("meta"):
            return sum(p.numel() for p in self.build().parameters())

    def _load_own_state(self, device: str) -> "LoadedNetwork":
        """The network as its callable returns it; two calls with different seeds must give the same state."""
        import torch

        from sodbench.models.weights import state_digest

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
        warnings.warn(
            f"{self.name}: no weights file is named; the weights that {self.network} returns are used"
            f" (digest {digest[:16]}...)",
            Note,
            stacklevel=4,
        )
        return self._loaded(network, device, None, digest)

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
        if expected is None and beside.is_file():
            expected = beside.read_text(encoding="utf-8").split()[0]
        if expected is not None and expected.lower() != digest:
            raise InputError(
                f"{path}: SHA-256 {digest}, expected {expected.lower()}; the file has changed: "
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
    `weights.state_digest` of its state, else the digest of the file.
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
        """How many parameters the network has."""
        return sum(p.numel() for p in self.network.parameters())

    def __repr__(self) -> str:
        return f"<LoadedNetwork {self.baseline.name}: {self.parameters:,} parameters, {self._weights()}>"

    def _repr_html_(self) -> str:
        facts = {**self.baseline._facts(), "parameters": f"{self.parameters:,}", "weights": self._weights()}
        return _html_table(self.baseline.name, {**facts, "maps": self.output_kind})

    def _weights(self) -> str:
        return f"{self.weights_path or 'its own weights'} (sha256 {self.weights_sha256[:16]}...)"


class RandomWeights(InputError):
    """A network's callable returns other weights each time."""


def baseline_names() -> list[str]:
    """The names of all baselines, shipped and the user's own."""
    return sorted(catalog.entries("baselines"))


def baselines() -> "pd.DataFrame":
    """All baselines, shipped and the user's own: one row per baseline, indexed by name.

    Columns: title, network, height and width of the input (pixels), weights (the file if it is present,
    else how to get it: "fetch", "train" or "missing").
    """
    import pandas as pd

    rows = [
        {
            "name": one.name,
            "title": one.title,
            "network": one.network,
            "height": one.input.height,
            "width": one.input.width,
            "weights": str(one.weights_path()) if one.weights_state == "present" else one.weights_state,
        }
        for one in map(load_baseline, baseline_names())
    ]
    return pd.DataFrame(rows).set_index("name")


def load_baseline(name: str | Path) -> Baseline:
    """Reads one baseline by name, by the path of its TOML file, or from a network's own `module:callable`.

    Raises InputError for an unknown name (the nearest are offered) and for a wrong value in the TOML file,
    with the file and the key.
    """
    name = str(name)
    if ":" in name and not name.endswith(".toml"):
        return _from_callable(name)
    path = Path(name) if name.endswith(".toml") else catalog.find("baselines", name)
    if not path.is_file():
        raise InputError(f"{path}: no such baseline file")
    table = _read_extended(path, ())
    if "published" in table:
        table["published"] = _published_row(table["published"], path)
    baseline = _from_table(table, path, path.stem, path)
    if ":" not in baseline.network and baseline.network not in NETWORKS:
        raise InputError(f"{path}: network: {unknown_names('network', [baseline.network], NETWORKS)}")
    return baseline


def create(name: str, **options: Any) -> "nn.Module":
    """A fresh network by a baseline's name, a network's registered name or `package.module:callable`.

    `options` override the baseline's. Weights are random: `load_baseline(name).load()` gives trained ones.
    """
    if name in catalog.entries("baselines") or ":" in name or name.endswith(".toml"):
        baseline = load_baseline(name)
        return dataclasses.replace(baseline, options={**baseline.options, **options}).build()
    if name not in NETWORKS:
        raise unknown_names("network", [name], {*NETWORKS, *catalog.entries("baselines")})
    return Baseline(name=name, title=name, network=name, options=options).build()


def baseline_of(network: "nn.Module") -> Baseline:
    """The baseline that a network carries as `baseline`: a `Baseline`, or a table like a TOML file's."""
    carried = getattr(network, "baseline", None)
    if isinstance(carried, Baseline):
        return carried
    name = type(network).__name__
    if not isinstance(carried, Mapping):
        raise InputError(
            f"{name}: a network needs an attribute `baseline` that says how images are prepared, "
            'e.g. network.baseline = {"input": {"height": 320, "width": 320}}'
        )
    return _from_carried(carried, name, f"{type(network).__module__}:{name}")


def _from_callable(spec: str) -> Baseline:
    """A baseline for a bare `module:callable`, which may carry `baseline`, a table like a TOML file's."""
    module, _, attribute = spec.rpartition(":")
    name = f"{Path(module).stem if module.endswith('.py') else module}.{attribute}"
    carried = getattr(find_callable(spec, spec), "baseline", {})
    if isinstance(carried, Baseline):
        return carried
    return _from_carried(carried, name, spec)


def _from_carried(table: Any, name: str, spec: str) -> Baseline:
    if not isinstance(table, Mapping):
        raise wrong(spec, "baseline", "a table", table)
    return _from_table({"title": name, "network": spec, "output": {"kind": "auto"}, **table}, spec, name)


def _from_table(
    table: Mapping[str, Any], source: str | Path, name: str, path: Path | None = None
) -> Baseline:
    return Baseline(**vars(read_table(table, source)), name=name, path=path)


def _read_extended(path: Path, seen: tuple[Path, ...]) -> dict[str, Any]:
    """The TOML file laid over the one that it `extends`.

    Weights, published numbers and the description are not inherited, options only by the same network.
    """
    table = catalog.read_toml(path)
    if "extends" not in table:
        return table
    parent_name = table.pop("extends")
    if not isinstance(parent_name, str):
        raise wrong(path, "extends", "text", parent_name)
    parent = catalog.find("baselines", parent_name)
    if parent in (path, *seen):
        raise InputError(f"{path}: extends: {parent_name!r} leads back to this file")
    inherited = _read_extended(parent, (*seen, path))
    for key in ("weights", "published", "description"):
        inherited.pop(key, None)
    if table.get("network", inherited.get("network")) != inherited.get("network"):
        inherited.pop("options", None)
    for key, value in table.items():
        both = isinstance(value, dict) and isinstance(inherited.get(key), dict)
        inherited[key] = {**inherited[key], **value} if both else value
    return inherited


def _published_row(row: Any, path: Path) -> Any:
    """The numbers that a recipe is judged against: its own, or those `of` another baseline, with a `note`."""
    if not isinstance(row, dict) or "of" not in row:
        return row
    if not isinstance(row["of"], str):
        raise wrong(path, "published.of", "a baseline's name", row["of"])
    other = catalog.read_toml(catalog.find("baselines", row["of"])).get("published", {})
    if "of" in other or not other:
        raise InputError(f"{path}: published.of: {row['of']!r} has no published numbers of its own")
    return {**other, **row}


def _html_table(caption: str, facts: Mapping[str, str]) -> str:
    rows = "".join(f"<tr><th>{html.escape(k)}</th><td>{html.escape(v)}</td></tr>" for k, v in facts.items())
    return f"<table><caption>{html.escape(caption)}</caption>{rows}</table>"
