"""Baselines by name.

A name is that of a TOML file, shipped or in the user's `./baselines`, the path of an ONNX file, or a
network's own: `package.module:callable` or `file.py:callable`, where the callable returns a torch module; or
it is the folder of a transformers model, or its name on the hub. TOML files, ONNX files and such folders are
data; a network outside this package is code, which `describe_baseline` never runs.
"""

import dataclasses
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sodbench import catalog
from sodbench.errors import InputError, Note, unknown_names
from sodbench.models.baseline import IN_ITS_FILE, Baseline
from sodbench.models.callable_source import NETWORKS
from sodbench.models.callables import find_callable
from sodbench.models.onnx_file import is_onnx
from sodbench.models.onnx_settings import bare_baseline
from sodbench.models.settings import in_new_words, read_table
from sodbench.models.transformers_folder import CONFIG, TRANSFORMERS, is_hub_name
from sodbench.models.transformers_settings import with_model
from sodbench.paths import real_path, user_path
from sodbench.schema import wrong

if TYPE_CHECKING:
    import pandas as pd
    from torch import nn


MOST_PARENTS = 20  # files that extend one another


def baseline_names() -> list[str]:
    """The names of all baselines, shipped and the user's own."""
    return sorted(catalog.entries("baselines"))


def baselines() -> "pd.DataFrame":
    """All baselines, shipped and the user's own: one row per baseline, indexed by name.

    The columns are title, network, height and width of the input (pixels), and weights: the file if it is
    present, else how to get it ("fetch", "train" or "missing"). An own file that is wrong is left out, with a
    note.
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
        for one in readable_baselines()[0]
    ]
    return pd.DataFrame(rows).set_index("name")


def readable_baselines() -> tuple[list[Baseline], dict[Path, str]]:
    """All baselines that can be read, and what is wrong with each of the user's own files that cannot.

    Wrong files are noted, and so are those that have the name of a shipped baseline.
    """
    read, problems = [], {}
    for path in catalog.shadowing("baselines").values():
        problems[path] = str(catalog.taken_name("baselines", path))
    for name, path in sorted(catalog.entries("baselines").items()):
        try:
            read.append(_from_file(path))
        except InputError as error:
            if catalog.is_shipped_name("baselines", name):
                raise
            problems[path] = str(error)
    for problem in problems.values():
        warnings.warn(f"not a baseline: {problem}", Note, stacklevel=3)
    return read, problems


def load_baseline(name: str | Path, *, trust: bool = True, trust_remote_code: bool = False) -> Baseline:
    """Reads one baseline by name, by the path of its TOML or ONNX file, or by `module:callable`.

    A name is also the folder of a transformers model, or a name of the hub whose model is in its cache.

    trust: whether code outside this package may run: the module of a `module:callable` is imported here, that
    which a TOML file names when the network is made.
    trust_remote_code: whether code that comes with a transformers model may run, when its network is made.

    Raises InputError for an unknown name (with the nearest names), for a wrong value in the TOML file (with
    the file and the key), and without `trust` for a network that is not this package's.
    """
    name = str(name)
    if not trust:
        described = describe_baseline(name)
        if described.runs_own_code:
            code = (
                ", ".join(described.model_folder.code_files) if described.model_folder else described.network
            )
            raise InputError(
                f"{name}: its network, {code}, is code outside sodbench; read that code, and "
                "allow it with --trust (trust=True) if you trust it"
            )
    baseline = _from_callable(name) if _is_callable(name) else describe_baseline(name)
    return dataclasses.replace(baseline, trust_remote_code=True) if trust_remote_code else baseline


def describe_baseline(name: str | Path) -> Baseline:
    """One baseline like `load_baseline`, but no code is imported.

    Of a bare `module:callable` the table that it may carry is not known: it is described by the defaults.
    """
    name = str(name)
    if _is_callable(name):
        return _from_carried({}, _name_of_callable(name), name)
    if is_onnx(name):
        return bare_baseline(user_path(name))
    if is_model(name):
        return _from_model(name)
    if not name.endswith(".toml"):
        return _from_file(catalog.find("baselines", name))
    path = user_path(name)
    if not path.is_file():
        raise InputError(f"{path}: no such baseline file")
    if catalog.is_shipped_name("baselines", path.stem) and not catalog.is_shipped("baselines", path):
        raise catalog.taken_name("baselines", path)
    return _from_file(path)


def is_model(name: str) -> bool:
    """Whether a name is the folder of a transformers model, or `owner/name` as models of the hub are called.

    The name of a baseline stands for that baseline, even where a folder has the same.
    """
    if name in catalog.entries("baselines") or name.endswith((".toml", ".onnx")):
        return False
    path = user_path(name)
    if path.is_dir():
        return (path / CONFIG).is_file() or "/" in name
    return name.count("/") == 1 and is_hub_name(name) and not path.exists()


def _is_callable(name: str) -> bool:
    return ":" in name and not name.endswith(".toml") and not is_onnx(name) and not is_model(name)


def _from_file(path: Path) -> Baseline:
    table = _read_extended(path, ())
    if "published" in table:
        table["published"] = _published_row(table["published"], path)
    baseline = _from_table(table, path, path.stem, path)
    known = (*NETWORKS, *IN_ITS_FILE)
    if ":" not in baseline.network and baseline.network not in known:
        raise InputError(f"{path}: network: {unknown_names('network', [baseline.network], known)}")
    return baseline


def create(name: str, **options: Any) -> "nn.Module":
    """A fresh network by a baseline's name, a network's registered name or `package.module:callable`.

    `options` override the baseline's. Weights are random: `load_baseline(name).load()` gives trained ones.
    """
    named = name in catalog.entries("baselines") or ":" in name or name.endswith(".toml")
    if named or is_onnx(name) or is_model(name):
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
    name = _name_of_callable(spec)
    carried = getattr(find_callable(spec, spec), "baseline", {})
    if isinstance(carried, Baseline):
        return carried
    return _from_carried(carried, name, spec)


def _from_model(name: str) -> Baseline:
    """A baseline for a bare folder of a transformers model, or for a name of the hub."""
    path = user_path(name)
    folder = path if path.is_dir() else None
    own = real_path(path).name if folder else name
    table = {"title": own, "network": TRANSFORMERS, "options": {"model": name}}
    return _from_table(table, name, own, folder)


def _name_of_callable(spec: str) -> str:
    module, _, attribute = spec.rpartition(":")
    return f"{Path(module).stem if module.endswith('.py') else module}.{attribute}"


def _from_carried(table: Any, name: str, spec: str) -> Baseline:
    if not isinstance(table, Mapping):
        raise wrong(spec, "baseline", "a table", table)
    return _from_table({"title": name, "network": spec, "output": {"kind": "auto"}, **table}, spec, name)


def _from_table(
    table: Mapping[str, Any], source: str | Path, name: str, path: Path | None = None
) -> Baseline:
    model_folder = None
    if table.get("network") == TRANSFORMERS:
        table, model_folder = with_model(table, source, path)
    read = read_table(table, source)
    stated = (f"{part}.{key}" for part in ("input", "output", "inference") for key in table.get(part, {}))
    return Baseline(**vars(read), name=name, path=path, stated=frozenset(stated), model_folder=model_folder)


def _read_extended(path: Path, seen: tuple[Path, ...]) -> dict[str, Any]:
    """The TOML file laid over the one that it `extends`.

    Weights, published numbers and the description are not inherited, options only by the same network.
    """
    table = dict(in_new_words(catalog.read_toml(path), path))
    if "extends" not in table:
        return table
    parent_name = table.pop("extends")
    if not isinstance(parent_name, str):
        raise wrong(path, "extends", "text", parent_name)
    parent = _other(parent_name, path, "extends")
    if parent in (path, *seen):
        raise InputError(f"{path}: extends: {parent_name!r} leads back to this file")
    if len(seen) == MOST_PARENTS:
        raise InputError(f"{path}: extends: more than {MOST_PARENTS} files, one on top of the other")
    inherited = _read_extended(parent, (*seen, path))
    for key in ("weights", "published", "description"):
        inherited.pop(key, None)
    if table.get("network", inherited.get("network")) != inherited.get("network"):
        inherited.pop("options", None)
    for key, value in table.items():
        both = isinstance(value, dict) and isinstance(inherited.get(key), dict)
        inherited[key] = {**inherited[key], **value} if both else value
    return inherited


def _other(name: str, path: Path, key: str) -> Path:
    """The file of the baseline that `key` of the file `path` names; a shipped file names shipped ones."""
    known = catalog.entries("baselines")
    if name in known and catalog.is_shipped("baselines", path):
        return known[name]  # a user's own file of that name breaks no other baseline
    try:
        return catalog.find("baselines", name)
    except InputError as error:
        raise InputError(f"{path}: {key}: {error}") from error


def _published_row(row: Any, path: Path) -> Any:
    """The numbers that a recipe is judged against: its own, or those `of` another baseline, with a `note`."""
    if not isinstance(row, dict) or "of" not in row:
        return row
    if not isinstance(row["of"], str):
        raise wrong(path, "published.of", "a baseline's name", row["of"])
    other = catalog.read_toml(_other(row["of"], path, "published.of")).get("published", {})
    if not isinstance(other, dict) or "of" in other or not other:
        raise InputError(f"{path}: published.of: {row['of']!r} has no published numbers of its own")
    return {**other, **row}
