"""A suite's TOML file, checked when it is read: data sets, protocols, metrics and methods.

    title = "Two networks"
    datasets = ["ecssd", "sod"]
    metrics = ["MAE", "maxF"]

    [[methods]]
    baseline = "basnet"

    [[methods]]
    name = "DSS"
    maps = "maps/{dataset}/DSS"

Relative paths in it start at the working directory, as those of options do.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from sodbench import catalog
from sodbench.data.card import load_cards
from sodbench.errors import InputError, first_of
from sodbench.models.settings import Precision
from sodbench.names import folder_name
from sodbench.paths import user_path
from sodbench.schema import AT_LEAST_0, FILE_PATH, NOT_EMPTY, Check, OneForAll, parse, wrong
from sodbench.suites.checks import check_names

if TYPE_CHECKING:
    from sodbench.models import Baseline

DATASET = "{dataset}"  # stands for the data set's name in the path of a folder of maps
Names = Annotated[tuple[str, ...], OneForAll()]
Seeds = tuple[Annotated[int, AT_LEAST_0], ...]


PROCESSES = Check("1 to 64", lambda value: 1 <= value <= 64)


@dataclass(frozen=True)
class TrainTable:
    """How a method is trained; what a method leaves out is taken from the suite's own table, then the recipe.

    datasets: training sets in place of the recipe's. seeds: one training for each (0). settings: keys of the
    recipe with other values, as `sodbench train --set training.KEY=VALUE`. cache: decode every image once.
    processes: of torchrun on one machine, with one GPU each where there are GPUs (1).
    """

    datasets: Names = ()
    seeds: Annotated[Seeds, OneForAll()] = ()
    settings: dict[str, Any] = field(default_factory=dict)
    cache: bool = False
    processes: Annotated[int, PROCESSES] | None = None


@dataclass(frozen=True)
class Method:
    """One method: a baseline as it is, a baseline that is trained first, or a folder of maps made elsewhere.

    name: its name in tables and records (that of the baseline, or of the folder). baseline: a name, or the
    path of a TOML or ONNX file. maps: the folder, in which `{dataset}` stands for each data set's name.
    """

    name: str = ""
    baseline: str | None = None
    weights: Annotated[str | None, FILE_PATH] = None
    precision: Precision | None = None
    train: TrainTable | None = None
    maps: Annotated[str | None, FILE_PATH] = None


@dataclass(frozen=True)
class Row:
    """A method as it is evaluated and recorded: for a method that is trained, one row per seed."""

    name: str
    method: Method
    seed: int | None = None


@dataclass(frozen=True)
class Suite:
    """The keys of a suite's file; `path` is the file, whose stem is the suite's name.

    metrics: the scores that its table shows, or their families; their families are computed (None: all that
    the protocols define). published: the sources whose published tables the report shows in full; without
    them it shows the published rows of the suite's own methods. train: what its trainings have in common.
    """

    title: str
    datasets: Annotated[tuple[str, ...], NOT_EMPTY]
    methods: Annotated[tuple[Method, ...], NOT_EMPTY]
    description: str = ""
    protocols: Annotated[Names, NOT_EMPTY] = ("pysodmetrics",)
    metrics: Annotated[Names | None, NOT_EMPTY] = None
    published: Names = ()
    train: TrainTable = field(default_factory=TrainTable)
    path: Path = field(init=False, default=Path())  # no key of the file

    @property
    def name(self) -> str:
        """The suite's name."""
        return self.path.stem

    def rows(self) -> Iterator[Row]:
        """The rows of its table, in the order of the file: one per method, or one per seed of a method."""
        for method in self.methods:
            if method.train is None:
                yield Row(method.name, method)
            else:
                for seed in method.train.seeds or self.train.seeds or (0,):
                    yield Row(f"{method.name}-seed{seed}", method, seed)

    def training_settings(self, row: Row) -> dict[str, Any]:
        """The keys of the recipe that the training of a row overrides."""
        own = row.method.train or TrainTable()
        settings = {**self.train.settings, **own.settings, "seed": row.seed}
        datasets = own.datasets or self.train.datasets
        return settings | ({"dataset": list(datasets)} if datasets else {})

    def training_processes(self, row: Row) -> int:
        """In how many processes a row is trained."""
        own = row.method.train or TrainTable()
        return own.processes or self.train.processes or 1

    def caches_training(self, row: Row) -> bool:
        """Whether the training of a row decodes every image once."""
        return self.train.cache or (row.method.train is not None and row.method.train.cache)


def suite_names() -> list[str]:
    """The names of all suites, shipped and the user's own."""
    return sorted(catalog.entries("suites"))


def load_suite(name: str | Path) -> Suite:
    """Reads one suite by its name or by the path of its TOML file, and checks every name in it.

    Raises InputError for an unknown suite, with the nearest names; for a wrong key or value, with the file
    and the key; and for unknown baselines, data sets, protocols, metrics and sources, all of them together.
    """
    name = str(name)
    if not name.endswith(".toml"):
        path = catalog.find("suites", name)
    else:
        path = user_path(name)
        if not path.is_file():
            raise InputError(f"{path}: no such suite file")
        if catalog.is_shipped_name("suites", path.stem) and not catalog.is_shipped("suites", path):
            raise catalog.taken_name("suites", path)
    suite = read_suite(path)
    check_names(suite)
    cards = load_cards(suite.datasets)
    _refuse_twice(path, "data set", [card.name for card in cards])
    return _with(suite, datasets=tuple(card.name for card in cards))


def read_suite(path: Path) -> Suite:
    """Reads and checks a suite's file by itself; whether what it names exists is for `load_suite` to find."""
    table = catalog.read_toml(path)
    if isinstance(methods := table.get("methods"), list):
        table["methods"] = [_train_spelt_out(method) for method in methods]
    suite = parse(Suite, table, path)
    object.__setattr__(suite, "path", path)
    methods = tuple(_checked(method, number, suite) for number, method in enumerate(suite.methods))
    suite = _with(suite, methods=methods)
    _check_settings(suite.train, path, "train")
    _refuse_twice(path, "method", [row.name for row in suite.rows()])
    return suite


def baseline_of(method: Method, trust: bool = False) -> "Baseline":
    """The baseline that a method runs or trains; InputError as `load_baseline`."""
    from sodbench.models import load_baseline

    return load_baseline(str(method.baseline), trust=trust)


def _train_spelt_out(method: Any) -> Any:
    """`train = true` as the empty table, for which it stands."""
    is_short = isinstance(method, dict) and method.get("train") is True
    return {**method, "train": {}} if is_short else method


def _with(suite: Suite, **changes: Any) -> Suite:
    changed = replace(suite, **changes)
    object.__setattr__(changed, "path", suite.path)
    return changed


def _checked(method: Method, number: int, suite: Suite) -> Method:
    """The method with its name; InputError for keys that do not go together."""
    path, key = suite.path, f"methods[{number}]"
    if (method.baseline is None) == (method.maps is None):
        problem = "both are there" if method.maps else "neither is there"
        raise InputError(f"{path}: {key}: expected either baseline or maps, {problem}")
    if method.maps is not None:
        useless = [one for one in ("weights", "precision", "train") if getattr(method, one) is not None]
        if useless:
            raise InputError(
                f"{path}: {key}: {first_of(useless)}: maps are scored as they are; remove the key"
            )
        if DATASET not in method.maps and len(suite.datasets) > 1:
            expected = f"a path with {DATASET}, because the suite has several data sets"
            raise wrong(path, f"{key}.maps", expected, method.maps)
    if method.train is not None:
        if method.weights is not None:
            raise InputError(f"{path}: {key}.weights: the method is trained; remove weights or train")
        _check_settings(method.train, path, f"{key}.train")
    name = method.name or _usual_name(method)
    try:
        folder_name(name)
    except InputError as error:
        raise InputError(f"{path}: {key}.name: {error}") from None
    return replace(method, name=name)


def _check_settings(table: TrainTable, path: Path, key: str) -> None:
    """The seed and the data sets have keys of their own."""
    for setting, own in (("seed", "seeds"), ("dataset", "datasets")):
        if setting in table.settings:
            raise InputError(f"{path}: {key}.settings.{setting}: name it in {key}.{own}, not in the settings")


def _usual_name(method: Method) -> str:
    if method.maps is not None:
        return next((part for part in reversed(Path(method.maps).parts) if DATASET not in part), "maps")
    path = Path(str(method.baseline))
    return path.stem if path.suffix in (".toml", ".onnx") else str(method.baseline)


def _refuse_twice(path: Path, kind: str, names: list[str]) -> None:
    # file systems of macOS and Windows take two names that differ in letter case for one
    counts = Counter(name.casefold() for name in names)
    twice = [name for name in dict.fromkeys(names) if counts[name.casefold()] > 1]
    if twice:
        advice = "give each a name of its own" if kind == "method" else "name each once"
        raise InputError(f"{path}: two cells of one name: {kind} {first_of(twice)} is there twice; {advice}")
