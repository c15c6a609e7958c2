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
        ({"bach": 4}, r"x.toml: unknown key 'training.bach' \(did you mean 'training.batch'"),
        ({"batch": "many"}, "x.toml: training.batch: expected a whole number, found 'many'"),
        ({"batch": True}, "training.batch: expected a whole number, found True"),
        ({"batch": 0}, "training.batch: expected 1 or more, found 0"),
        ({"lr": 0}, "training.lr: expected a number above 0, found 0"),
        ({"flip": 1}, "training.flip: expected true or false, found 1"),
        ({"optimiser": "adagrad"}, "expected 'adam' or 'adamw' or 'sgd', found 'adagrad'"),
        ({"betas": [0.9]}, "training.betas: expected a list of 2 values"),
        ({"accumulate": 3}, "training.accumulate: expected a divisor of the batch, 8, found 3"),
        ({"crop": [300, 300]}, "at most the size after resizing"),
        ({"resize": "none", "crop": "none"}, "training.resize: expected a size"),
        ({"resize": [256, 0]}, r"training.resize\[1\]: expected 1 or more, found 0"),
        ({"colour_jitter": [0.2, 1.0, 0]}, r"training.colour_jitter\[1\]: expected a number from 0 to"),
        ({"seed": -1}, "training.seed: expected 0 or more"),
        ({"loss_terms": ["bce", "dice"]}, r"training.loss_terms\[1\]: expected 'bce' or"),
        ({"dataset": []}, "training.dataset: expected at least one"),
        ({"scale_jitter": [2, 1, 0]}, "training.scale_jitter: expected .smallest"),
        ({"aspect_jitter": 0.5, "scale_jitter": [1, 2, 0], "crop": 32}, "1 .off. or more"),
        ({"aspect_jitter": 1.5}, "training.scale_jitter: expected a range, because aspect_jitter"),
        ({"rotation": -3}, "degrees from 0"),
        ({"validate_every": 10}, "training.validate_on: expected a data set"),
        ({"ema": 1.0}, "training.ema: expected 0 .off. or a decay below 1, found 1.0"),
        ({"loss_options": 3}, "expected a table"),
    ],
)
def test_mistakes_are_named(change: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        load_recipe({**TABLE, **change}, source="x.toml")


def test_what_is_missing_is_named() -> None:
    with pytest.raises(InputError, match=r"training\.iterations: missing; expected a whole"):
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


def test_differences_leave_out_what_decides_no_weights() -> None:
    a, b = load_recipe(TABLE).as_dict(), load_recipe({**TABLE, "batch": 4, "checkpoint_every": 7}).as_dict()
    assert differences(a, b) == ["batch: 8 -> 4"]
