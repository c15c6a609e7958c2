"""Protocols in words against one another, and maps of another size under the protocols that resize."""

import itertools
import json
from typing import Any, get_args, get_origin, get_type_hints

import cv2
import numpy as np
import py_sod_metrics
import pytest
from PIL import Image

from sodbench.cli.main import main
from sodbench.errors import InputError
from sodbench.metrics import Protocol, Scorer, load_protocol, protocol_names, score
from sodbench.metrics.differences import differences_between, in_words
from sodbench.metrics.protocol import convention_fields

RANDOM = np.random.default_rng(0)
MASK = np.zeros((61, 83), np.uint8)
MASK[10:40, 20:50] = 255
MAP = cv2.GaussianBlur(MASK, (15, 15), 5)[::2, ::2] // 2 + RANDOM.integers(0, 60, (31, 42)).astype(np.uint8)


def allowed_values(field: str) -> list[Any]:
    """Every value of a field that takes one of a few, and the values that toolkits use."""
    annotation = get_type_hints(Protocol)[field]
    if annotation is bool:
        return [True, False]
    arguments = () if get_origin(annotation) is tuple else get_args(annotation)
    listed = [value for value in arguments if not isinstance(value, type)]
    return [*listed, *convention_fields()[field].values, getattr(load_protocol("pysodmetrics"), field)]


@pytest.mark.parametrize("field", list(convention_fields()))
def test_every_value_of_every_field_has_words(field: str) -> None:
    values = [value for value in allowed_values(field) if not hasattr(value, "__origin__")]
    phrases = {in_words(field, value) for value in values}
    assert len(phrases) == len({repr(value) for value in values})
    assert all(phrase and "{" not in phrase for phrase in phrases)


def test_a_protocol_has_no_difference_from_itself_and_the_same_ones_both_ways() -> None:
    for name in protocol_names():
        protocol = load_protocol(name)
        assert differences_between(protocol, protocol) == []
        for other in map(load_protocol, protocol_names()):
            there, back = differences_between(protocol, other), differences_between(other, protocol)
            assert [(one.field, one.here, one.there) for one in there] == [
                (one.field, one.there, one.here) for one in back
            ]


def test_conventions_of_metrics_that_one_does_not_define_are_left_out() -> None:
    fields = [one.field for one in differences_between(*map(load_protocol, ("basnet2019", "salod")))]
    assert not [field for field in fields if field.startswith(("s_", "e_", "wf_", "boundary_"))]
    assert "mask_threshold" in fields


def test_what_a_convention_affects_are_scores_that_both_protocols_have() -> None:
    scored = {}
    for name in protocol_names():
        scorer = Scorer(name)
        scorer.update(cv2.resize(MAP, MASK.shape[::-1]), MASK, name="x")
        scored[name] = {*scorer.result().scores, "every metric"}
    for name, other in itertools.permutations(protocol_names(), 2):
        for one in differences_between(load_protocol(name), load_protocol(other)):
            assert {*one.moves, *one.moves_little} <= scored[name] & scored[other], one.field


def test_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["protocols", "show", "sodsurvey", "--against", "pysodmetrics"]) == 0
    printed = capsys.readouterr().out
    assert "sodsurvey: divides the map by its own maximum" in printed
    assert "pysodmetrics: min-max normalises the map" in printed
    assert main(["protocols", "show", "birefnet", "--against", "pysodevaltoolkit"]) == 0
    assert capsys.readouterr().out == "birefnet and pysodevaltoolkit have the same conventions\n"
    assert main(["protocols", "show", "raw", "--against", "pysodmetrics", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["against"] == "pysodmetrics" and "mae_scale" in [
        one["field"] for one in found["differences"]
    ]
    assert main(["protocols", "show", "raw", "--against", "nonesuch"]) == 2
    capsys.readouterr()
    assert main(["protocols", "show", "salod", "--against", "pysodmetrics"]) == 0
    printed = capsys.readouterr().out
    assert "grey level 127.5" in printed and "grey level 128\n" in printed


@pytest.mark.parametrize("name", ["pysodevaltoolkit", "birefnet"])
def test_the_two_tools_resize_as_opencv_does(name: str) -> None:
    scorer = Scorer(name)
    scorer.update(MAP, MASK, name="x")
    sized = cv2.resize(MAP, (MASK.shape[1], MASK.shape[0]), interpolation=cv2.INTER_LINEAR)
    classes = (py_sod_metrics.MAE, py_sod_metrics.Smeasure, py_sod_metrics.WeightedFmeasure)
    for key, metric, result in zip(("MAE", "S", "wF"), classes, ("mae", "sm", "wfm"), strict=True):
        oracle = metric()
        oracle.step(sized, MASK)
        assert scorer.result().scores[key] == pytest.approx(oracle.get_results()[result], abs=1e-9)


def test_a_chosen_filter_resizes_where_the_protocol_refuses() -> None:
    scorers = [Scorer(name, ["MAE"], resize="nearest") for name in ("pysodmetrics", "birefnet")]
    assert [scorer.resizes for scorer in scorers] == ["nearest", None]
    sized = np.asarray(Image.fromarray(MAP).resize(MASK.shape[::-1], Image.Resampling.NEAREST))
    for scorer, same in zip(scorers, ((sized, "pysodmetrics"), (MAP, "birefnet")), strict=True):
        scorer.update(MAP, MASK)
        assert scorer.scores() == score(same[0], MASK, same[1], ["MAE"])
    with pytest.raises(InputError, match="resize is 'cubic'; expected one of nearest, "):
        Scorer(resize="cubic")


def test_protocols_that_resize_otherwise_do_not_share_the_map() -> None:
    from sodbench.metrics.image_scores import measure_image

    names = ["birefnet", "cod-toolbox", "pysodevaltoolkit"]
    together = measure_image(MAP, MASK, "x", [Scorer(name) for name in names], None)
    alone = [measure_image(MAP, MASK, "x", [Scorer(name)], None)[0] for name in names]
    assert [one.columns["MAE"] for one in together] == [one.columns["MAE"] for one in alone]
    assert together[0].columns["MAE"] != together[1].columns["MAE"]
    with pytest.raises(InputError, match="pysodmetrics compares equal sizes only"):
        measure_image(MAP, MASK, "x", [Scorer(name) for name in (*names, "pysodmetrics")], None)
