"""What each field of a protocol says about the metrics is true, and is what the commands read."""

import dataclasses
import math
from functools import cache
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

import numpy as np
import pytest
from numpy.typing import NDArray

from sodbench.metrics import Protocol, Scorer, load_protocol, protocol_names, score
from sodbench.metrics.aggregate import dataset_scores
from sodbench.metrics.explain import values_to_try
from sodbench.metrics.image_scores import measure_image
from sodbench.metrics.protocol import EVERY, FURTHER, STANDARD, convention_fields
from sodbench.metrics.registry import all_families, all_metrics, fields_that_move

# values that make an effect large enough to see, for the fields that are numbers
NUMBERS = {
    "mask_threshold": (25.5, 60.0, 127.0),
    "f_beta2": (1.0,),
    "wf_beta2": (0.3,),
    "boundary_beta2": (1.0,),
    "boundary_radius": (1, 3),
    "s_alpha": (0.2, 1.0),
    "scale_epsilon": (0.0, 60.0),
    **dict.fromkeys(("e_epsilon", "s_epsilon", "wf_epsilon"), (1e-8, 0.7)),
    **dict.fromkeys(("precision_epsilon", "recall_epsilon", "f_epsilon"), (1e-5, 0.7)),
}
FIELDS = [name for name in convention_fields() if name != "families"]


def bases() -> dict[str, Protocol]:
    """Every standard metric and scale defined under each, so that every field has something to move."""
    everything = {"families": STANDARD, "f_adaptive": True, "e_curve": True}
    scales = ("f_scale", "e_scale", "s_scale", "wf_scale", "mae_scale")
    return {
        "default": load_protocol("pysodmetrics"),
        "maximum": dataclasses.replace(
            load_protocol("basnet2019"), **everything, **dict.fromkeys(scales, "max"), s_clip=False
        ),
        "raw": load_protocol("raw"),
    }


@cache
def pictures() -> list[tuple[NDArray, NDArray]]:
    """Soft and grey, empty and full: maps and masks on which conventions differ."""
    random = np.random.default_rng(4)
    shape = (22, 25)
    y, x = np.mgrid[: shape[0], : shape[1]]
    disk = ((y - 9) ** 2 + (x - 12) ** 2 < 40) * np.uint8(255)
    soft = np.clip(disk * 0.6 + random.normal(50, 25, shape), 8, 215).astype(np.uint8)
    grey = disk.copy()
    grey[2:5, 3:20] = np.resize([24, 40, 100, 126, 127, 128, 129, 200], (3, 17))
    blank, full = np.zeros(shape, np.uint8), np.full(shape, 255, np.uint8)
    most = full.copy()
    most[:4, :4] = 0
    corner = blank.copy()
    corner[3:9, 4:10] = 255  # its centre lies between two rows
    faint = (grey // 2).astype(np.uint8)
    halves = np.where(disk > 0, 100, 50).astype(np.uint8)  # x = .5 of the maximum
    steep = np.where(disk > 0, 255, 254).astype(np.uint8)  # right at the highest level only
    steep[0, 0] = 0
    fine = np.clip(disk / 400 + random.random(shape) / 2.6, 0.01, 0.99)  # values between the levels
    return [
        (soft, disk),
        (steep, disk),
        (fine, disk),
        (soft, grey),
        (grey, disk),
        (faint, grey),
        (halves, disk),
        (soft // 3 + 150, disk),  # twice its mean is above its maximum
        (np.where(most > 0, soft // 3 + 150, np.uint8(9)), most),
        (soft, (grey * 0.7).astype(np.uint8)),
        # a bin of its own for what the mask's threshold decides
        (np.where(grey == 200, np.uint8(10), disk), (grey * 0.6).astype(np.uint8)),
        (np.where((grey == 127) | (grey == 128), np.uint8(40), disk), grey),
        (np.uint8(255) - soft, corner),
        (np.uint8(255) - corner, corner),
        (blank, disk),
        (soft, blank),
        (blank, blank),
        (soft, full),
        (blank, full),
    ]


def alternatives(field: str) -> tuple[Any, ...]:
    """The values that a field is changed to."""
    annotation = get_type_hints(Protocol, include_extras=True)[field]
    kind = get_args(annotation)[0] if get_origin(annotation) is Annotated else annotation
    if field == "f_left_out":
        return ((), ("empty-mask",), ("empty-map",), ("empty-mask", "empty-map"))
    if get_origin(kind) is Literal:
        return get_args(kind)
    return (True, False) if kind is bool else NUMBERS[field]


def scores_under(protocols: list[Protocol]) -> list[list[dict[str, float]]]:
    """For each protocol: the scores of each picture alone, and of all together."""
    scorers = [Scorer(protocol, list(all_families())) for protocol in protocols]
    images = [measure_image(*picture, str(i), scorers, None) for i, picture in enumerate(pictures())]
    tables = []
    for number, scorer in enumerate(scorers):
        mine = [image[number] for image in images]
        sets = [[one] for one in mine] + [mine, mine[:3]]
        tables.append([scores_of(members, scorer) for members in sets])
    return tables


def scores_of(images: list[Any], scorer: Scorer) -> dict[str, float]:
    columns = {name: [one.columns[name] for one in images] for name in images[0].columns}
    curves = {name: np.array([one.curves[name] for one in images]) for name in images[0].curves}
    return dataset_scores(columns, curves, scorer.protocol, families=scorer.families)


@cache
def base_scores() -> list[list[dict[str, float]]]:
    return scores_under(list(bases().values()))


def moved_by(field: str) -> set[str]:
    moved = set()
    for base, before in zip(bases().values(), base_scores(), strict=True):
        values = [value for value in alternatives(field) if value != getattr(base, field)]
        changed = [dataclasses.replace(base, **{field: value}) for value in values]
        for after in scores_under(changed):
            for old, new in zip(before, after, strict=True):
                for name in old.keys() & new.keys():
                    both_undefined = math.isnan(old[name]) and math.isnan(new[name])
                    if old[name] != new[name] and not both_undefined:
                        moved.add(name)
    return moved


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("field", FIELDS)
def test_a_field_moves_the_metrics_that_it_names_and_no_others(field: str) -> None:
    claimed = {name for name in all_metrics() if any(field in keys for keys in fields_that_move(name))}
    assert moved_by(field) == claimed


def test_claims_name_metrics_and_no_metric_twice() -> None:
    for field, convention in convention_fields().items():
        names = [*convention.decisive, *convention.minor]
        assert set(names) <= {*all_metrics(), EVERY, FURTHER}, field
        assert len(names) == len(set(names)), field


def test_fields_in_the_order_in_which_reasons_are_given() -> None:
    assert fields_that_move("meanF")[0] == ("mean_f", "f_average", "f_scale", "f_beta2")
    assert fields_that_move("S")[0] == ("s_scale", "s_alpha", "s_object_ddof", "s_variance_ddof")
    assert fields_that_move("maxIoU")[0] == ("f_scale",)
    assert {"mask_scale", "mask_threshold", "mask_comparator"} <= set(fields_that_move("anything")[1])


def test_values_that_explain_tries() -> None:
    """What `protocols explain` tries for each family, as it always has."""
    scales = ("255", "max", "min-max")
    mask = {
        "mask_threshold": (25.5, 127.0, 128.0),
        "mask_scale": ("255", "max"),
        "mask_comparator": (">", ">="),
    }
    expected = {
        "MAE": {"mae_scale": scales, "mask_in_mae": ("binary", "grey")},
        "F": {
            "f_average": ("images", "means"),
            "f_scale": scales,
            "mean_f": ("curve", "adaptive"),
            "f_beta2": (0.3, 1.0),
            "quantise": ("truncate", "round", "exact"),
            "f_left_out": ((), ("empty-mask",), ("empty-map",), ("empty-mask", "empty-map")),
            "levels": (255, 256),
            "precision_epsilon": (0.0, 1e-8, 1e-5),
        },
        "E": {
            "e_scale": scales,
            "e_comparator": (">", ">="),
            "e_denominator": ("N-1", "N"),
            "quantise": ("truncate", "round", "exact"),
        },
        "S": {
            "s_scale": scales,
            "s_object_ddof": (0, 1),
            "s_variance_ddof": (0, 1),
            "s_centre_rounding": ("half-even", "half-up"),
        },
        "wF": {"wf_scale": scales, "wf_beta2": (0.3, 1.0), "empty_mask": ("zero", "agreement")},
        "relaxF": {
            "boundary_window": ("square", "disk"),
            "boundary_radius": (1, 2, 3),
            "boundary_average": ("images", "means"),
            "boundary_erosion": ("cross", "square"),
        },
    }
    assert {family: values_to_try(family) for family in STANDARD} == {
        family: fields | mask for family, fields in expected.items()
    }


def test_toolkits_use_the_values_of_the_shipped_protocols() -> None:
    """Every value of a shipped protocol is among those that a field lists, where it lists any."""
    for field, convention in convention_fields().items():
        used = {getattr(load_protocol(name), field) for name in protocol_names()}
        if convention.values and field != "mask_threshold":  # salod's 127.5 equals 127 on 8 bits
            assert used <= set(convention.values), field


@pytest.mark.parametrize("object_", [0, 255])
def test_scores_of_an_image_of_one_pixel_lie_in_their_range(object_: int) -> None:
    scores = score(np.full((1, 1), 200, np.uint8), np.full((1, 1), object_, np.uint8))
    outside = {
        name: value
        for name, value in scores.items()
        if not all_metrics()[name].range[0] <= value <= all_metrics()[name].range[1]
    }
    assert not outside
