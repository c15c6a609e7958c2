"""Baselines: a network, its input, its weights and its recipe, read from `baselines/*.toml`.

A name is that of a TOML file (shipped or in the user's `./baselines`), or a network's own:
`package.module:callable` or `file.py:callable`, where the callable returns a torch module. Whatever the
network returns (one tensor, a list, a dictionary, probabilities) is brought to the one form: a tuple of
logits, the final map first.
"""

import dataclasses
import importlib
import importlib.util
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from sodbench import catalog
from sodbench.data.preprocessing import InputSpec
from sodbench.errors import InputError, unknown_names
from sodbench.files import sha256_of
from sodbench.models.settings import Inference, Output, Weights, read_baseline_table

if TYPE_CHECKING:
    from torch import nn

# networks of this package by their registered name, imported when one is made
NETWORKS = {
    "basnet": "sodbench.models.networks.basnet:BASNet",
    "basnet-keras": "sodbench.models.networks.basnet_keras:BASNetKeras",
    "deeplabv3": "sodbench.models.networks.deeplab:DeepLabV3",
    "unet": "sodbench.models.networks.unet:UNet",
}


@dataclass(frozen=True)
class LoadedNetwork:
    """A network in eval mode with the weights it holds."""

    network: "nn.Module"
    weights_path: Path | None
    weights_sha256: str
    baseline: "Baseline"
    output_kind: str | None = None


@dataclass(frozen=True)
class Baseline:
    """A network and everything needed to use it; see `baselines/basnet.toml` for the fields in use."""

    name: str
    title: str
    network: str
    options: dict[str, Any] = field(default_factory=dict)
    input: InputSpec = field(default_factory=InputSpec)
    output: Output = field(default_factory=Output)
    weights: Weights | None = None
    inference: Inference = field(default_factory=Inference)
    training: dict[str, Any] = field(default_factory=dict)
    published: dict[str, Any] = field(default_factory=dict)
    path: Path | None = None
    description: str = ""

    def build(self) -> "nn.Module":
        """A fresh network (random weights) whose forward returns a tuple of logits."""
        from sodbench.models.outputs import as_logits

        return as_logits(_make(self.network, self.options, self.name), self.output.kind)

    def load(self, weights: Path | None = None, device: str = "cpu") -> LoadedNetwork:
        """The network with its weights (the baseline's own unless a file is given), in eval mode.

        Raises InputError for a missing file - it says what to fetch and where to put it - and for weights of
        another network.
        """
        from sodbench.models.weights import load_into, load_state

        path = weights if weights is not None else self.weights_path()
        if not path.is_file():
            raise InputError(self._how_to_get(path, own=weights is None))
        digest = sha256_of(path)
        if weights is None:
            self._check_digest(path, digest)
        network = self.build()
        load_into(network, load_state(path), f"{path} (for {self.name})")
        return LoadedNetwork(network.eval().to(device), path, digest, self)

    def weights_path(self) -> Path:
        """Where the baseline's own weights are or belong: beside its TOML, else in the user's data folder."""
        from sodbench.models.storage import weights_folder

        if self.weights is None or self.weights.file is None:
            return weights_folder() / f"{self.name.replace('/', '_')}.pth"
        file = Path(self.weights.file).expanduser()
        if file.is_absolute():
            return file
        beside = self.path.parent / file if self.path else file
        # what ships lies beside the TOML; what is fetched goes to a folder that the user can write
        return beside if beside.is_file() or not self.weights.fetchable else weights_folder() / file.name

    def _check_digest(self, path: Path, found: str) -> None:
        """The baseline's own file must be the one its TOML names, or the one that was fetched."""
        beside = path.with_name(path.name + ".sha256")
        expected = self.weights.sha256 if self.weights else None
        if expected is None and beside.is_file():
            expected = beside.read_text(encoding="utf-8").split()[0]
        if expected is not None and expected.lower() != found:
            raise InputError(
                f"{path}: SHA-256 {found}, expected {expected.lower()}; the file has changed: fetch it again "
                f"(`sodbench baselines fetch {self.name} --force`) or name it with --weights"
            )

    def _how_to_get(self, path: Path, own: bool) -> str:
        if not own:
            return f"{path}: no such weights file"
        said = f"{self.name}: its weights are not here: expected {path}"
        if self.weights is not None and self.weights.fetchable:
            where = self.weights.where()
            return (
                f"{said}; run `sodbench baselines fetch {self.name}`, or put the file there ({where}), "
                "or name one with --weights FILE"
            )
        note = f" ({self.weights.note})" if self.weights is not None and self.weights.note else ""
        return f"{said}{note}; name a file with --weights FILE, or make one: `sodbench train {self.name}`"


def baseline_names() -> list[str]:
    """The names of all baselines, shipped and the user's own."""
    return sorted(catalog.entries("baselines"))


def load_baseline(name: str) -> Baseline:
    """Reads one baseline by name, by the path of its TOML file, or from a network's own `module:callable`.

    Raises InputError for an unknown name (the nearest are offered) and for a TOML file that says something
    wrong, with the file and the key.
    """
    if ":" in name and not name.endswith(".toml"):
        return _from_callable(name)
    path = Path(name) if name.endswith(".toml") else catalog.find("baselines", name)
    if not path.is_file():
        raise InputError(f"{path}: no such baseline file")
    table = _read_extended(path, ())
    table["published"] = _published_row(table.get("published"), path)
    fields = read_baseline_table(table, path)
    baseline = Baseline(name=path.stem, path=path, **fields)
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


def _from_callable(spec: str) -> Baseline:
    """A baseline for a bare `module:callable`, which may carry `baseline`, a table like a TOML file's."""
    made = _find_callable(spec, spec)
    module, _, attribute = spec.rpartition(":")
    name = f"{Path(module).stem if module.endswith('.py') else module}.{attribute}"
    table = getattr(made, "baseline", {})
    plain = {"title": name, "network": spec, "output": {"kind": "auto"}}
    fields = read_baseline_table({**plain, **table}, Path(spec))
    return Baseline(name=name, path=None, **fields)


def _read_extended(path: Path, seen: tuple[Path, ...]) -> dict[str, Any]:
    """The TOML file laid over the one that it `extends`; weights and published numbers are not inherited."""
    table = catalog.read_toml(path)
    if "extends" not in table:
        return table
    parent_name = table.pop("extends")
    if not isinstance(parent_name, str):
        raise InputError(f"{path}: extends: expected a string, found {parent_name!r}")
    parent = catalog.find("baselines", parent_name)
    if parent in (path, *seen):
        raise InputError(f"{path}: extends: {parent_name!r} leads back to this file")
    inherited = _read_extended(parent, (*seen, path))
    for key in ("weights", "published", "description"):
        inherited.pop(key, None)
    for key, value in table.items():
        both = isinstance(value, dict) and isinstance(inherited.get(key), dict)
        inherited[key] = {**inherited[key], **value} if both else value
    return inherited


def _published_row(row: Any, path: Path) -> Any:
    """The numbers that a recipe is judged against: its own, or `of` another baseline with a `note` why."""
    if not isinstance(row, dict) or "of" not in row:
        return {} if row is None else row
    if not isinstance(row["of"], str):
        raise InputError(f"{path}: published.of: expected a baseline's name, found {row['of']!r}")
    other = catalog.read_toml(catalog.find("baselines", row["of"])).get("published", {})
    if "of" in other or not other:
        raise InputError(f"{path}: published.of: {row['of']!r} has no published numbers of its own")
    return {**other, **row}


def _make(network: str, options: dict[str, Any], who: str) -> "nn.Module":
    from torch import nn

    make = _find_callable(NETWORKS.get(network, network), who)
    try:
        made = make(**options)
    except TypeError as error:
        raise InputError(f"{who}: the network {network} does not take these options: {error}") from error
    if not isinstance(made, nn.Module):
        raise InputError(f"{who}: {network} returned {type(made).__name__}; expected a torch.nn.Module")
    return made


def _find_callable(spec: str, who: str) -> Callable[..., Any]:
    module_name, _, attribute = spec.rpartition(":")
    module = (
        _import_file(Path(module_name), who) if module_name.endswith(".py") else _import(module_name, who)
    )
    made = getattr(module, attribute, None)
    if not callable(made):
        names = [n for n in vars(module) if callable(getattr(module, n)) and not n.startswith("_")]
        raise InputError(f"{who}: {module_name}: {unknown_names('callable', [attribute], names)}")
    return cast(Callable[..., Any], made)


def _import(name: str, who: str) -> Any:
    here = str(Path.cwd())
    if here not in sys.path:  # a console script does not see the folder it is called from, `python -m` does
        sys.path.insert(0, here)
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise InputError(
            f"{who}: cannot import {name!r} ({error}); run from the folder that holds it, install it, "
            "or give the file: path/to/file.py:callable"
        ) from error


def _import_file(path: Path, who: str) -> Any:
    if not path.is_file():
        raise InputError(f"{who}: {path}: no such Python file")
    spec = importlib.util.spec_from_file_location(f"sodbench_user_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise InputError(f"{who}: {path}: not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module
