"""Figures: what they show, the kinds of F curve they name, one look per method, the same bytes again."""

import json
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from results.stand_in import StandInDataset, run, table

from sodbench.metrics.families.calibration import BINS, OBJECT, PIXELS, PROBABILITY
from sodbench.reporting.f_curves import f_curve
from sodbench.reporting.figure_style import COLOURS, looks
from sodbench.reporting.figures import draw
from sodbench.reporting.page_data import packed_curves
from sodbench.reporting.rank_figure import rankings
from sodbench.reporting.selection import Selection
from sodbench.reporting.size_figure import binned
from sodbench.reporting.table import make_table
from sodbench.results.published import CURVE_OF_MEANS, MEAN_OF_CURVES
from sodbench.results.run import Run, new_run


def calibrated(one: Run) -> Run:
    """The run with what a reliability diagram shows; one bin is empty."""
    made = one.tables["pysodmetrics"]
    share = np.r_[0.7, np.full(12, 0.01), 0.0, 0.18]
    bins = {PIXELS: share, PROBABILITY: share * np.linspace(0, 1, BINS), OBJECT: share * 0.4}
    curves = made.curves.assign(**{name: pd.Series(values) for name, values in bins.items()})
    scored = replace(made, curves=curves, scores=made.scores | {"ECE": 0.1})
    return replace(one, tables={"pysodmetrics": scored})


def test_every_kind_is_drawn_in_every_format(tmp_path: Path) -> None:
    runs = [calibrated(run(name, "x/y", seed, 40)) for seed, name in enumerate(["a", "$b_1%"])]
    runs.append(run("a", "sod"))
    (tmp_path / "efficiency").mkdir()
    (tmp_path / "efficiency" / "a.json").write_text(
        json.dumps({"parameters": 5e6, "flops": 1e9, "images_per_second": 20})
    )
    drawn = draw(runs[:2], make_table(runs[:2], Selection(), tmp_path), tmp_path / "figures")
    assert set(drawn["x/y"]) == {"pr", "f", "e", "reliability", "distribution", "size", "speed"}
    runs.append(run("$b_1%", "sod", 1))
    drawn |= draw(runs, make_table(runs, Selection()), tmp_path / "figures", ("ranks",))
    assert set(drawn[""]) == {"ranks"}
    for kinds in drawn.values():
        for files in kinds.values():
            assert sorted(f.suffix for f in files) == [".pdf", ".png", ".svg"]
            for file in files:
                if file.suffix == ".svg":
                    ElementTree.parse(file)
                elif file.suffix == ".png":
                    assert np.asarray(Image.open(file).convert("L")).std() > 5
                else:
                    assert file.read_bytes().startswith(b"%PDF")


def test_the_same_runs_draw_the_same_bytes(tmp_path: Path) -> None:
    runs = [run("a", images=30), run("b", seed=1, images=30)]
    table_ = make_table(runs, Selection())
    kinds = ("pr", "size")
    first, second = (draw(runs, table_, tmp_path / name, kinds, ("svg", "pdf")) for name in ("one", "two"))
    for kind in kinds:
        for one, two in zip(first["sod"][kind], second["sod"][kind], strict=True):
            assert one.read_bytes() == two.read_bytes()


def test_a_protocol_with_another_beta_is_drawn_with_it(tmp_path: Path) -> None:
    drawn = {}
    for beta2 in (0.3, 1.0):
        one = run("a", images=30)
        own = replace(one.tables["pysodmetrics"].protocol, f_beta2=beta2)
        one = replace(one, tables={"pysodmetrics": replace(one.tables["pysodmetrics"], protocol=own)})
        p, r = (one.tables["pysodmetrics"].curves[name].to_numpy() for name in ("precision", "recall"))
        curve = f_curve(one.tables["pysodmetrics"], CURVE_OF_MEANS)
        assert np.allclose(curve, (1 + beta2) * p * r / (beta2 * p + r))
        assert packed_curves([one], "pysodmetrics")["beta2"] == beta2
        files = draw([one], make_table([one], Selection()), tmp_path / str(beta2), ("pr", "f"), ("svg",))
        drawn[beta2] = [files["sod"][kind][0].read_bytes() for kind in ("pr", "f")]
    # the lines of equal F, the dots and the axis' name follow it
    assert all(a != b for a, b in zip(drawn[0.3], drawn[1.0], strict=True))


def test_looks_are_distinct_in_colour_dash_and_lightness() -> None:
    styles = looks({f"m{k}": k for k in range(40)})
    assert len({(look.colour, str(look.dash)) for look in styles.values()}) == 40

    def lightness(colour: str) -> float:
        r, g, b = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
        return 0.2126 * r + 0.7152 * g + 0.0722 * b

    first = [lightness(colour) for colour in COLOURS[:5]]
    assert all(abs(a - b) > 0.02 for i, a in enumerate(first) for b in first[:i])


def test_both_kinds_of_f_curve_are_what_they_are_called() -> None:
    made = table(20, seed=4)
    p, r = (made.image_curves[name].astype(float) for name in ("precision", "recall"))
    with np.errstate(invalid="ignore"):
        each = np.nan_to_num(1.3 * p * r / (0.3 * p + r))
    np.testing.assert_allclose(f_curve(made, MEAN_OF_CURVES), each.mean(axis=0), atol=1e-6)
    mp, mr = p.mean(axis=0), r.mean(axis=0)
    np.testing.assert_allclose(f_curve(made, CURVE_OF_MEANS), 1.3 * mp * mr / (0.3 * mp + mr), atol=1e-6)
    means = table(20, seed=4, protocol="basnet2019", levels=255)
    assert f_curve(means, MEAN_OF_CURVES).max() < f_curve(means, CURVE_OF_MEANS).max()


@pytest.mark.parametrize("average", ["images", "means"])
def test_f_curves_are_recomputed_with_the_epsilon_of_the_protocol(average: str) -> None:
    made = table(20, seed=4)
    made = replace(made, protocol=replace(made.protocol, f_average=average, f_epsilon=0.5))
    p, r = (made.image_curves[name].astype(float) for name in ("precision", "recall"))
    mp, mr = p.mean(axis=0), r.mean(axis=0)
    np.testing.assert_allclose(
        f_curve(made, CURVE_OF_MEANS), 1.3 * mp * mr / (0.3 * mp + mr + 0.5), atol=1e-6
    )
    if average == "means":
        each = 1.3 * p * r / (0.3 * p + r + 0.5)
        np.testing.assert_allclose(f_curve(made, MEAN_OF_CURVES), each.mean(axis=0), atol=1e-6)


def test_f_curves_leave_out_the_images_that_the_protocol_leaves_out() -> None:
    made = table(20, seed=4, protocol="basnet2019", levels=255)
    others = {name: values[1:] for name, values in made.image_curves.items()}
    expected = f_curve(replace(made, image_curves=others), MEAN_OF_CURVES)
    for values in made.image_curves.values():
        values[0] = np.nan
    np.testing.assert_allclose(f_curve(made, MEAN_OF_CURVES), expected, atol=1e-9)


def test_bins_hold_equally_many_images() -> None:
    share = np.array([0, 1, 2, 3, 4, 5, 6.0])
    values = np.array([9, 0.1, 0.3, np.nan, 0.5, 0.7, 0.9])
    centres, means, errors = binned(share, values, 2)
    np.testing.assert_allclose(centres, [2, 5.5])
    np.testing.assert_allclose(means, [0.3, 0.8])
    np.testing.assert_allclose(errors[1], 1.96 * np.std([0.7, 0.9], ddof=1) / np.sqrt(2))


def test_runs_without_curves_or_sizes_leave_figures_out(tmp_path: Path) -> None:
    bare = table(12)
    bare = type(bare)(bare.protocol, bare.scores, bare.per_image, bare.curves.iloc[:, :0], None, None)
    runs = [new_run("a", StandInDataset(), {"pysodmetrics": bare})]
    drawn = draw(runs, make_table(runs, Selection()), tmp_path)
    assert not drawn["sod"]["pr"] and not drawn["sod"]["f"] and not drawn["sod"]["size"]
    assert drawn["sod"]["distribution"]


def test_ranks_need_comparable_scores_on_two_data_sets() -> None:
    runs = [run(name, dataset, seed) for seed, name in enumerate("abc") for dataset in ("sod", "ecssd")]
    ranked = rankings(make_table(runs, Selection(metrics=["maxF", "MAE"])))
    assert set(ranked) == {"maxF@pysodmetrics", "MAE@pysodmetrics"}
    scores = {name: r.values()["MAE@pysodmetrics"] for name, r in zip("abc", runs[::2], strict=True)}
    best = min(scores, key=scores.get)
    assert ranked["MAE@pysodmetrics"].ranks[best] == 1 and ranked["MAE@pysodmetrics"].datasets == 2
    assert rankings(make_table(runs[::2], Selection())) == {}
    partial = [*runs[:-1], run("c", "ecssd", 2, images=5)]
    assert rankings(make_table(partial, Selection())) == {}


@pytest.mark.parametrize("kinds", [(), ("pr",)])
def test_only_the_chosen_kinds_are_drawn(tmp_path: Path, kinds) -> None:
    runs = [run("a")]
    drawn = draw(runs, make_table(runs, Selection()), tmp_path, kinds, ("svg",))
    assert [f.name for files in drawn["sod"].values() for f in files] == [f"{kind}-sod.svg" for kind in kinds]
