"""Recipes: validated with file, key and value in the error; overrides; schedules."""

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sodbench.errors import InputError
from sodbench.training.recipe import Recipe, differences, load_recipe, parse_overrides

TABLE = {
    "dataset": "duts-tr",
    "iterations": 100,
    "batch": 8,
    "lr": 1e-3,
    "resize": [256, 256],
    "crop": [224, 224],
}


def test_a_table_becomes_a_recipe_and_plain_values_again() -> None:
    recipe = load_recipe({**TABLE, "loss_terms": ["bce"], "scale_jitter": [0.5, 2.0, 0.25]})
    assert recipe.dataset == ("duts-tr",)
    assert recipe.crop == (224, 224)
    assert recipe.loss_terms == ("bce",)
    assert load_recipe(recipe.as_dict()) == recipe
    assert load_recipe({**TABLE, "resize": 320, "crop": 288}).resize == (320, 320)
    assert load_recipe({**TABLE, "resize": "none"}).resize is None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"bach": 4}, r"x.toml: unknown training key 'bach' \(did you mean 'batch'\?\)"),
        ({"batch": "many"}, "training.batch is 'many', expected a whole number"),
        ({"batch": True}, "training.batch is True, expected a whole number"),
        ({"batch": 0}, "training.batch is 0, expected 1 or more"),
        ({"lr": 0}, "training.lr is 0.0, expected a number above 0"),
        ({"flip": 1}, "training.flip is 1, expected true or false"),
        ({"optimiser": "adagrad"}, "expected one of adam, adamw, sgd"),
        ({"betas": [0.9]}, "expected 2 values"),
        ({"accumulate": 3}, "expected a divisor of the batch, 8"),
        ({"crop": [300, 300]}, "at most the resized picture"),
        ({"resize": "none", "crop": "none"}, "training.resize"),
        ({"scale_jitter": [2, 1, 0]}, "smallest"),
        ({"aspect_jitter": 0.5, "scale_jitter": [1, 2, 0], "crop": 32}, "1 .off. or more"),
        ({"aspect_jitter": 1.5}, "since aspect_jitter is a part of it"),
        ({"rotation": -3}, "degrees from 0"),
        ({"validate_every": 10}, "training.validate_on"),
        ({"ema": 1.0}, "training.ema"),
        ({"loss_options": 3}, "expected a table"),
    ],
)
def test_mistakes_are_named(change: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        load_recipe({**TABLE, **change}, source="x.toml")


def test_what_is_missing_is_named() -> None:
    with pytest.raises(InputError, match="lacks iterations, batch, lr"):
        load_recipe({"dataset": "duts-tr"})


def test_overrides_are_toml_or_text() -> None:
    settings = [
        "training.batch=16",
        "training.crop=[96, 96]",
        "training.optimiser=sgd",
        "training.flip=false",
    ]
    assert parse_overrides(settings) == {"batch": 16, "crop": [96, 96], "optimiser": "sgd", "flip": False}
    assert load_recipe(TABLE, parse_overrides(settings)).batch == 16
    for wrong in ("batch=16", "training.batch"):
        with pytest.raises(InputError, match=r"training\.KEY=VALUE"):
            parse_overrides([wrong])


@given(st.integers(1, 500), st.integers(0, 50), st.sampled_from(["constant", "poly", "cosine"]))
def test_schedules_stay_between_the_ends(iterations: int, warmup: int, schedule: str) -> None:
    recipe = Recipe(
        ("x",),
        iterations,
        1,
        0.1,
        resize=(8, 8),
        warmup=warmup,
        schedule=schedule,
        final_lr=0.001,  # type: ignore[arg-type]
    )
    rates = [recipe.learning_rate(i) for i in range(iterations)]
    assert all(0 < rate <= 0.1 + 1e-12 for rate in rates)
    after = rates[warmup:]
    assert all(a >= b for a, b in itertools.pairwise(after))


def test_the_poly_schedule_of_deeplab() -> None:
    recipe = load_recipe({**TABLE, "schedule": "poly", "power": 0.9, "lr": 0.007, "iterations": 30000})
    assert recipe.learning_rate(15000) == pytest.approx(0.007 * 0.5**0.9)
    cosine = load_recipe({**TABLE, "schedule": "cosine", "final_lr": 1e-5})
    assert cosine.learning_rate(50) == pytest.approx((1e-3 + 1e-5) / 2)
    assert math.isclose(cosine.learning_rate(0), 1e-3)


def test_differences_leave_out_what_only_watches() -> None:
    a, b = load_recipe(TABLE).as_dict(), load_recipe({**TABLE, "batch": 4, "checkpoint_every": 7}).as_dict()
    assert differences(a, b) == ["batch: 8 -> 4"]
