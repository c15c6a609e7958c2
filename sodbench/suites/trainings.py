"""The trainings of a suite: `training/<suite>/<method>-seed0/`, each carried out once.

`depends_on.json` in that folder says what its weights depend on, part by part. A training of other parts is
never written over: its folder gets the first digits of its key as an ending, and is taken back where the
parts are again those.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from sodbench.cell_key import files_digest, key_of, network_digest, text_digest
from sodbench.data.folder import open_dataset
from sodbench.errors import InputError, Note
from sodbench.files import sha256_of, write_text
from sodbench.json_text import read_json, to_json
from sodbench.names import folder_name
from sodbench.results.dependencies import Parts, differences
from sodbench.results.environment import versions
from sodbench.suites.options import Options
from sodbench.suites.suite import Row, Suite, baseline_of
from sodbench.suites.torchrun import train_in_processes
from sodbench.training.log import last_step
from sodbench.training.recipe import MONITORING, Recipe, load_recipe

if TYPE_CHECKING:
    from sodbench.models import Baseline

PARTS_FILE = "depends_on.json"
WEIGHTS = "weights.pth"
# what decides weights, besides the network and what reads pixels
TRAINING_CODE = ("training", "losses", "data")
TRAINING_PACKAGES = ("torch", "torchvision", "numpy", "pillow", "libjpeg_turbo")
SHOWN_DIGITS = 8  # of a key, in the name of a folder that is set aside


@dataclass(frozen=True)
class Progress:
    """How far a training is: whether its weights are there, and what differs from what it would be now.

    interrupted: whether it can go on from a checkpoint. steps: the last step that was logged; 0 where there
    is none. changed: what differs, in words.
    """

    done: bool
    interrupted: bool = False
    steps: int = 0
    changed: tuple[str, ...] = ()


def training_folder(suite: Suite, row: Row, options: Options) -> Path:
    """The folder of a row's training."""
    return options.training / folder_name(suite.name) / folder_name(row.name)


def recipe_of(suite: Suite, row: Row, baseline: Baseline) -> Recipe:
    """The recipe of a row's training."""
    return load_recipe(baseline.training, suite.training_settings(row), f"{suite.path}: {row.method.name}")


class TrainingKeys:
    """What the weights of a suite's rows depend on; each data set is digested once."""

    def __init__(self, suite: Suite, options: Options) -> None:
        self.suite, self.options = suite, options
        self._digests: dict[str, str] = {}
        self._folders: dict[str, Path] = {}

    def parts(self, row: Row) -> Parts:
        """What the weights of a row depend on; InputError where its baseline or a data set is not here.

        A training set that is not here counts as the one with which a finished training was made.
        """
        baseline = baseline_of(row.method, self.options.trust)
        recipe = recipe_of(self.suite, row, baseline)
        folder = training_folder(self.suite, row, self.options)
        then = (recorded_parts(folder) or {}) if is_complete(folder) else {}
        parts = {
            "network": network_digest(baseline.build(), baseline.options),
            "input": to_json(baseline.input),
            "training code": _training_code(),
        }
        processes = self.suite.training_processes(row)
        if processes > 1:  # equal to one process up to rounding only
            parts["processes"] = str(processes)
        settings = {key: value for key, value in recipe.as_dict().items() if key not in MONITORING}
        parts |= {f"training.{key}": to_json(value) for key, value in settings.items()}
        for kind, names in (("training set", recipe.dataset), ("validation set", recipe.validate_on)):
            for name in names:
                part = f"{kind} {name}"
                try:
                    parts[part] = self._digest(name)
                except InputError:
                    if part not in then:
                        raise
                    parts[part] = then[part]
        installed = versions()
        return parts | {f"package {one}": installed[one] for one in TRAINING_PACKAGES if one in installed}

    def progress(self, row: Row) -> Progress:
        """How far the training of a row is; InputError as `parts`."""
        wanted = self.parts(row)
        folder = training_folder(self.suite, row, self.options)
        then = recorded_parts(folder)
        if then != wanted and (aside := _aside(folder, key_of(wanted))).is_dir():
            folder, then = aside, wanted
        self._folders[row.name] = folder
        if then is None:
            return Progress(done=False)
        changed = tuple(differences(then, wanted))
        done, begun = is_complete(folder), (folder / "last.pt").is_file()
        return Progress(done and not changed, begun and not changed, last_step(folder), changed)

    def weights(self, row: Row) -> Path:
        """The weights of a training that is done: in its folder, or where it was set aside."""
        usual = training_folder(self.suite, row, self.options)
        folder = self._folders.get(row.name, usual)
        return (folder if folder.is_dir() else usual) / WEIGHTS

    def _digest(self, name: str) -> str:
        """The digest of the images and masks of a data set."""
        if name not in self._digests:
            samples = open_dataset(name, self.options.data_root).samples
            images = [(f"{one.name} image", one.image) for one in samples]
            masks = [(f"{one.name} mask", one.mask) for one in samples]
            self._digests[name] = files_digest([*images, *masks])
        return self._digests[name]


def train_row(suite: Suite, row: Row, options: Options) -> None:
    """Trains the network of a row, from its last checkpoint where there is one of the same parts.

    A training of other parts in its folder is set aside, with a note; one of these parts that was set aside
    is taken back, and is not repeated where it is complete. All arguments can be sent to another process.
    Raises InputError as `train`, for example where the loss is not finite.
    """
    folder = training_folder(suite, row, options)
    parts = TrainingKeys(suite, options).parts(row)
    _make_room(folder, parts)
    if recorded_parts(folder) == parts and is_complete(folder):
        return
    write_text(folder / PARTS_FILE, to_json(parts, indent=1) + "\n")
    if suite.training_processes(row) > 1:
        train_in_processes(suite, row, options, folder)
    else:
        _train_here(suite, row, options, folder)
    # several times the size of the weights, and of use to an interrupted training only
    (folder / "last.pt").unlink(missing_ok=True)


def _train_here(suite: Suite, row: Row, options: Options, folder: Path) -> None:
    from sodbench.training.job import train

    train(
        baseline_of(row.method, options.trust),
        data_root=options.data_root,
        settings=suite.training_settings(row),
        out=folder,
        resume=True,
        device=options.device,
        workers=options.loaders,
        cache=suite.caches_training(row),
        progress=options.progress,
    )


def place_for_training(suite: Suite, row: Row, options: Options) -> Path:
    """The folder of a row's training, with one of other parts set aside; for a training made elsewhere."""
    folder = training_folder(suite, row, options)
    _make_room(folder, TrainingKeys(suite, options).parts(row))
    return folder


def is_complete(folder: Path) -> bool:
    """Whether a training has come to its end, and its weights are those that it wrote."""
    weights = folder / WEIGHTS
    try:
        record = read_json(folder / "training.json")
        return weights.is_file() and sha256_of(weights) == record["weights"]["sha256"]
    except (InputError, KeyError, TypeError):
        return False


def recorded_parts(folder: Path) -> Parts | None:
    """What the weights in a folder depend on; None where it does not say."""
    try:
        parts = read_json(folder / PARTS_FILE)
    except InputError:
        return None
    return {str(name): str(value) for name, value in parts.items()} if isinstance(parts, dict) else None


def _make_room(folder: Path, parts: Parts) -> None:
    """Sets a training of other parts aside, and takes one of these parts back."""
    key, then = key_of(parts), recorded_parts(folder)
    if then is not None and key_of(then) != key:
        aside = _aside(folder, key_of(then))
        if aside.exists():
            raise InputError(f"{folder}: holds the same training as {aside}; remove one of them")
        folder.rename(aside)
        warnings.warn(f"{folder}: made with other settings; it is kept as {aside}", Note, stacklevel=4)
    if not folder.exists() and _aside(folder, key).is_dir():
        _aside(folder, key).rename(folder)


def _aside(folder: Path, key: str) -> Path:
    return folder.with_name(f"{folder.name}.{key[:SHOWN_DIGITS]}")


@cache
def _training_code() -> str:
    package = Path(__file__).parents[1]
    files = sorted(path for name in TRAINING_CODE for path in (package / name).glob("*.py"))
    return key_of({path.relative_to(package).as_posix(): text_digest(path) for path in files})
