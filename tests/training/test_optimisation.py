"""The optimiser's parameter groups and the loss, as the recipe says."""

import pytest
from torch import nn

from sodbench.errors import InputError
from sodbench.models import create, load_baseline
from sodbench.training.optimisation import build_loss, build_optimiser
from sodbench.training.recipe import Recipe, load_recipe

TABLE = {"dataset": "ecssd", "iterations": 1, "batch": 1, "lr": 1e-3}


def recipe(**changes: object) -> Recipe:
    return load_recipe({**TABLE, **changes})


def assert_encoder_factor(network: nn.Module, prefix: str, optimiser: str = "adam") -> None:
    """The parameters whose names begin with `prefix`, and no others, have the factor .1."""
    groups = build_optimiser(network, recipe(encoder_factor=0.1, optimiser=optimiser)).param_groups
    factors = {id(p): group["factor"] for group in groups for p in group["params"]}
    named = dict(network.named_parameters())
    assert len(factors) == sum(len(group["params"]) for group in groups) == len(named)
    expected = {name: 0.1 if name.startswith(prefix) else 1.0 for name in named}
    assert {name: factors[id(p)] for name, p in named.items()} == expected
    assert set(expected.values()) == {0.1, 1.0}


@pytest.mark.parametrize(
    ("name", "options", "prefix"),
    [
        ("basnet", {"width": 16}, "encoder"),
        ("deeplabv3", {"depth": 18, "width": 16}, "backbone."),
    ],
)
@pytest.mark.parametrize("optimiser", ["adam", "sgd"])
def test_our_encoders_learn_at_their_own_rate(
    name: str, options: dict[str, int], prefix: str, optimiser: str
) -> None:
    assert_encoder_factor(create(name, **options), prefix, optimiser)


def test_a_wrapped_network_s_encoder_learns_at_its_own_rate(network: str) -> None:
    wrapped = load_baseline(network).build()
    assert {name.split(".")[0] for name, _ in wrapped.named_parameters()} == {"network"}
    assert_encoder_factor(wrapped, "network.features.")


def test_a_factor_without_an_encoder_is_an_error() -> None:
    network = nn.Conv2d(3, 1, 1)
    with pytest.raises(InputError, match=r"encoder_factor is 0\.1.*encoder_names"):
        build_optimiser(network, recipe(encoder_factor=0.1))
    assert len(build_optimiser(network, recipe()).param_groups) == 1


def test_options_that_a_loss_does_not_take_are_an_error() -> None:
    assert build_loss(recipe(loss_terms="bce")).terms == ("bce",)
    assert build_loss(recipe(loss="boundary-aware", loss_options={"sigma": 2.0})).terms == ("bal",)
    with pytest.raises(InputError, match=r"training\.loss_options: .*'sigma'.* for the hybrid loss"):
        build_loss(recipe(loss_options={"sigma": 2.0}))
