"""A folder of a `transformers` model, read as data: `config.json`, `*.safetensors`, and the code it names.

Nothing here imports `transformers` or runs code. A model whose `config.json` names code (`auto_map`) runs
only where the user allows that; `code_digests` says which code it is.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from sodbench.errors import InputError, cut, first_of
from sodbench.files import sha256_of
from sodbench.json_text import read_json
from sodbench.paths import user_path
from sodbench.schema import AT_LEAST_0, NOT_EMPTY, parse

TRANSFORMERS = "transformers"  # what `network` says in a baseline's TOML
CONFIG, WEIGHTS, INDEX = "config.json", "model.safetensors", "model.safetensors.index.json"
# the entries of `auto_map` that a segmentation network is made by
SEGMENTATION = ("AutoModelForSemanticSegmentation", "AutoModelForImageSegmentation")
_HUB_NAME = re.compile(r"(?:\w[\w.-]{0,95}/)?\w[\w.-]{0,95}")
_CODE = re.compile(r"(?:[\w./-]+--)?\w+(?:\.\w+)+")  # in auto_map: file.Class, perhaps of another model
_MOST_BYTES = 10_000_000  # of config.json
_PICKLES = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.h5", "*.msgpack")


@dataclass(frozen=True)
class ModelOptions:
    """`[options]` of a baseline with `network = "transformers"`.

    model: a folder (relative to the TOML file, else to the working folder), or a name of the hub.
    revision: branch, tag or commit of the hub's model. label: the label that is the object, where there are
    several. map: which map is taken where code of the model's returns several; -1 is the last.
    """

    model: Annotated[str, NOT_EMPTY]
    revision: str | None = None
    label: Annotated[int | None, AT_LEAST_0] = None
    map: int = 0


@dataclass(frozen=True)
class ModelFolder:
    """A folder with a model's `config.json`, whose content is `config`."""

    path: Path
    config: Mapping[str, Any] = field(repr=False)

    @property
    def code(self) -> Mapping[str, str]:
        """The entries of `auto_map` that make the network, as `file.Class`; empty where no code does."""
        named = self.config.get("auto_map") or {}
        if not isinstance(named, Mapping):
            raise InputError(f"{self.path / CONFIG}: auto_map: expected a table, found {cut(repr(named))}")
        entries = {key: named[key] for key in ("AutoConfig", *SEGMENTATION) if key in named}
        for key, entry in entries.items():
            if not isinstance(entry, str) or not _CODE.fullmatch(entry):
                raise InputError(
                    f"{self.path / CONFIG}: auto_map.{key}: expected file.Class, found {cut(repr(entry))}"
                )
            if "--" in entry:
                raise InputError(
                    f"{self.path / CONFIG}: auto_map.{key}: its code lies in another model, "
                    f"{entry.partition('--')[0]}; put that code into this folder and write "
                    f"{entry.partition('--')[2]!r}"
                )
        return entries

    @property
    def code_files(self) -> list[str]:
        """The files that `auto_map` names."""
        return sorted({f"{entry.rpartition('.')[0].replace('.', '/')}.py" for entry in self.code.values()})

    def code_digests(self) -> dict[str, str]:
        """SHA-256 of every Python file in the folder, by its path in it; empty where no code runs."""
        if not self.code:
            return {}
        files = sorted(self.path.rglob("*.py"))
        return {file.relative_to(self.path).as_posix(): sha256_of(file) for file in files}

    def weights_files(self) -> list[Path]:
        """The safetensors files with the weights; InputError where there are none, or only pickles."""
        if (self.path / WEIGHTS).is_file():
            return [self.path / WEIGHTS]
        if not (self.path / INDEX).is_file():
            raise InputError(self._no_weights())
        index = read_json(self.path / INDEX)
        places = index.get("weight_map") if isinstance(index, Mapping) else None
        names = sorted(set(places.values())) if isinstance(places, Mapping) and places else []
        plain = all(isinstance(name, str) and Path(name).name == name for name in names)
        if not names or not plain or not all(name.endswith(".safetensors") for name in names):
            raise InputError(
                f"{self.path / INDEX}: weight_map: expected the names of safetensors files in its folder"
            )
        missing = [name for name in names if not (self.path / name).is_file()]
        if missing:
            raise InputError(f"{self.path}: {INDEX} names {first_of(missing, 3)}, which is not there")
        return [self.path / name for name in names]

    def weights_path(self) -> Path:
        """The weights file, or the index of several; it need not be there."""
        whole, index = self.path / WEIGHTS, self.path / INDEX
        return index if index.is_file() and not whole.is_file() else whole

    def weights_digest(self) -> str:
        """SHA-256 of the weights file; of several files, of the lines `<sha256>  <name>` in their order."""
        files = self.weights_files()
        if len(files) == 1:
            return sha256_of(files[0])
        lines = "".join(f"{sha256_of(file)}  {file.name}\n" for file in files)
        return hashlib.sha256(lines.encode()).hexdigest()

    def _no_weights(self) -> str:
        pickles = sorted(file.name for kind in _PICKLES for file in self.path.glob(kind))
        if pickles:
            return (
                f"{self.path}: holds its weights as {first_of(pickles, 3)} only; pickles can run code and "
                f"are not loaded: save it again with model.save_pretrained(folder), which writes {WEIGHTS}"
            )
        return (
            f"{self.path}: holds no {WEIGHTS}; expected the folder that model.save_pretrained(folder) writes"
        )


def open_model_folder(path: Path) -> ModelFolder:
    """Reads `config.json`; InputError where it is missing or is no model's."""
    file = path / CONFIG
    if not path.is_dir():
        raise InputError(f"{path}: no such folder; expected one with {CONFIG} and {WEIGHTS}")
    if not file.is_file():
        raise InputError(f"{path}: holds no {CONFIG}; expected the folder of a transformers model")
    if (path / "adapter_config.json").is_file():
        raise InputError(
            f"{path}: holds an adapter (adapter_config.json), whose base would be loaded from elsewhere; "
            "merge both and save the result"
        )
    if file.stat().st_size > _MOST_BYTES:
        raise InputError(f"{file}: expected at most {_MOST_BYTES:,} bytes, found {file.stat().st_size:,}")
    config = read_json(file)
    if not isinstance(config, Mapping) or not isinstance(config.get("model_type"), str):
        raise InputError(f"{file}: expected a table with model_type, as transformers writes it")
    return ModelFolder(path, config)


def read_options(options: Mapping[str, Any], source: str | Path) -> ModelOptions:
    """`[options]` checked; `source` names the file in errors."""
    return parse(ModelOptions, options, source, "options.")


def find_folder(options: ModelOptions, beside: Path | None = None) -> Path | None:
    """The folder of a model: on disk, else in the hub's cache; None where neither has it.

    `beside` is the folder of the TOML file, in which a relative path is looked up first. The network is not
    used. Raises InputError for what is neither a folder nor a name of the hub.
    """
    given = user_path(options.model)
    for path in ([beside / given] if beside is not None else []) + [given]:
        if path.is_dir():
            return path
    if not is_hub_name(options.model):
        raise InputError(f"{given}: no such folder; expected one with {CONFIG}, or a name of the hub")
    from sodbench.models.hub import cached_folder

    return cached_folder(options.model, options.revision)


def is_hub_name(name: str) -> bool:
    """Whether a text can be the name of a model on the hub: `owner/name`, or `name`."""
    return _HUB_NAME.fullmatch(name) is not None and "--" not in name and ".." not in name
