"""Whether what a suite names exists: data sets, baselines, protocols, metrics, sources, keys of recipes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sodbench import catalog
from sodbench.data.card import load_cards
from sodbench.errors import InputError, unknown_names

if TYPE_CHECKING:
    from sodbench.suites.suite import Suite


def check_names(suite: Suite) -> None:
    """Raises one InputError for all that the suite names and that does not exist."""
    problems = [
        *_unknown_datasets(suite),
        *_unknown_baselines(suite),
        *_unknown_measures(suite),
        *_wrong_recipes(suite),
    ]
    if problems:
        raise InputError(f"{suite.path}: {'; '.join(problems)}")


def _unknown_datasets(suite: Suite) -> Iterator[str]:
    trained = [one for method in suite.methods if method.train for one in method.train.datasets]
    try:
        load_cards([*suite.datasets, *suite.train.datasets, *trained])
    except InputError as error:
        yield str(error)


def _unknown_baselines(suite: Suite) -> Iterator[str]:
    from sodbench.models.lookup import is_model

    known = catalog.entries("baselines")
    names = dict.fromkeys(method.baseline for method in suite.methods if method.baseline is not None)
    unknown = [
        name
        for name in names
        if name not in known
        and not name.endswith((".toml", ".onnx"))
        and ":" not in name
        and not is_model(name)
    ]
    if unknown:
        yield str(unknown_names("baseline", unknown, known))


def _unknown_measures(suite: Suite) -> Iterator[str]:
    from sodbench.recording import prepare_scoring
    from sodbench.results.published import published_values

    try:
        prepare_scoring(suite.protocols, suite.metrics, None, None)
    except InputError as error:
        yield str(error)
    known = {value.source for value in published_values()} if suite.published else set()
    unknown = [source for source in suite.published if source not in known]
    if unknown:
        yield str(unknown_names("published source", unknown, known))


def _wrong_recipes(suite: Suite) -> Iterator[str]:
    """What is wrong with the recipes of the methods that are trained, and with files of baselines."""
    from sodbench.models.lookup import describe_baseline
    from sodbench.training.recipe import load_recipe

    known = catalog.entries("baselines")
    for method in suite.methods:
        name = method.baseline or ""
        try:
            if name.endswith(".onnx") and method.train is not None:
                raise InputError("an ONNX file can be run, not trained")
            if name not in known and not name.endswith(".toml"):
                continue  # a file that need not be here yet, or code, which is not run for this
            baseline = describe_baseline(name)
            if method.train is not None:
                row = next(row for row in suite.rows() if row.method is method)
                recipe = load_recipe(baseline.training, suite.training_settings(row), "train.settings")
                load_cards([*recipe.dataset, *recipe.validate_on])
        except InputError as error:
            yield f"method {method.name!r}: {error}"
