"""Figures: what they show, the kinds of F curve they name, one look per method, the same bytes again."""

import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text
from PIL import Image
from results.stand_in import StandInDataset, run, table

from sodbench.data.attributes import Group
from sodbench.metrics.families.calibration import BINS, OBJECT, PIXELS, PROBABILITY
from sodbench.names import folder_name
from sodbench.reporting import (
    attribute_figure,
    curve_figures,
    distribution_figure,
    rank_figure,
    reliability_figure,
    size_figure,
    speed_figure,
    stress_figure,
)
from sodbench.reporting.f_curves import f_curve
from sodbench.reporting.figure_style import (
    COLOURS,
    FADED,
    GREY,
    MOST_COLOURED,
    faded_beyond_best,
    look_numbers,
    looks,
)
from sodbench.reporting.figures import KINDS, draw
from sodbench.reporting.html_table import TEMPLATES
from sodbench.reporting.page_data import packed_curves
from sodbench.reporting.rank_figure import rankings
from sodbench.reporting.selection import Selection
from sodbench.reporting.size_figure import binned
from sodbench.reporting.table import make_table
from sodbench.results.breakdown import Breakdown, GroupScore
from sodbench.results.new_run import new_run
from sodbench.results.published import CURVE_OF_MEANS, MEAN_OF_CURVES
from sodbench.results.run import Run
from sodbench.results.stress_record import Cell, StressRecord

FIGURE_MODULES = (
    curve_figures,
    distribution_figure,
    rank_figure,
    reliability_figure,
    size_figure,
    speed_figure,
)
WITH_INTERVALS = ("size", "reliability")
NAMES = [f"method {number} $x$" for number in range(16)]


def calibrated(one: Run) -> Run:
    """The run with what a reliability diagram shows; one bin is empty."""
    made = one.tables["pysodmetrics"]
    share = np.r_[0.7, np.full(12, 0.01), 0.0, 0.18]
    bins = {PIXELS: share, PROBABILITY: share * np.linspace(0, 1, BINS), OBJECT: share * 0.4}
    curves = made.curves.assign(**{name: pd.Series(values) for name, values in bins.items()})
    images = {name: np.tile(values, (len(made.per_image), 1)) for name, values in bins.items()}
    kept = made.image_curves | images
    scored = replace(made, curves=curves, scores=made.scores | {"ECE": 0.1}, image_curves=kept)
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


# how the eye sees linear RGB (Machado, Oliveira and Fernandes 2009, severity 1)
VISIONS = {
    "all cones": np.eye(3),
    "protanopia": ((0.1523, 1.0526, -0.2049), (0.1145, 0.7863, 0.0992), (-0.0039, -0.0481, 1.052)),
    "deuteranopia": ((0.3673, 0.8606, -0.228), (0.2801, 0.6725, 0.0474), (-0.0118, 0.0429, 0.9689)),
    "tritanopia": ((1.2555, -0.0767, -0.1788), (-0.0784, 0.9308, 0.1476), (0.0047, 0.6914, 0.3039)),
}


def linear(colours: Sequence[str]) -> np.ndarray:
    coded = np.array([[int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)] for colour in colours])
    return np.where(coded <= 0.04045, coded / 12.92, ((coded + 0.055) / 1.055) ** 2.4)


def lab(rgb: np.ndarray) -> np.ndarray:
    xyz = rgb @ np.array(((0.4124, 0.3576, 0.1805), (0.2126, 0.7152, 0.0722), (0.0193, 0.1192, 0.9505))).T
    x, y, z = np.cbrt(np.maximum(xyz / (0.9505, 1, 1.089), 0.008856)).T
    return np.c_[116 * y - 16, 500 * (x - y), 200 * (y - z)]


def palettes() -> dict[str, tuple[str, Sequence[str]]]:
    """The background and the colours of the figures, and of the page in light and in dark."""
    css = (TEMPLATES / "page.css").read_text(encoding="utf-8")
    grounds = re.findall(r"--raised: (#\w{6})", css)
    colours = [re.findall(r"--m\d: (#\w{6})", line) for line in css.splitlines() if "--m0" in line]
    assert len(grounds) == len(colours) == 3 and colours[1] == colours[2]
    return {
        "figures": ("#ffffff", COLOURS),
        "light": (grounds[0], colours[0]),
        "dark": (grounds[1], colours[1]),
    }


@pytest.mark.parametrize("name", ["figures", "light", "dark"])
def test_colours_are_told_apart_by_colour_blind_readers(name: str) -> None:
    ground, colours = palettes()[name]
    assert len(set(colours)) == MOST_COLOURED
    for vision, matrix in VISIONS.items():
        seen = lab(np.clip(linear(colours) @ np.array(matrix).T, 0, 1))
        apart = [float(np.linalg.norm(a - b)) for i, a in enumerate(seen) for b in seen[:i]]
        assert min(apart) > 15, vision
    if name != "figures":  # whose markers help
        light = (linear([ground, *colours]) @ (0.2126, 0.7152, 0.0722)) + 0.05
        ratio = np.maximum(light[1:], light[0]) / np.minimum(light[1:], light[0])
        assert ratio.min() >= 3


def test_looks_are_distinct_in_colour_or_dash() -> None:
    styles = looks({f"m{k}": k for k in range(40)})
    assert len({(look.colour, str(look.dash)) for look in styles.values()}) == 40


def test_the_best_five_of_each_data_set_have_different_colours() -> None:
    names = [f"m{k:02d}" for k in range(20)]
    rankings = [names, names[7:] + names[:7], names[3:] + names[:3]]
    numbers = look_numbers(rankings)
    assert sorted(numbers.values()) == list(range(20))
    for ranking in rankings:
        styles = faded_beyond_best(looks(numbers), ranking)
        assert len({styles[name].colour for name in ranking[:5]}) == 5
        assert [name for name in ranking if not styles[name].faded] == ranking[:5]
    few = look_numbers([["c", "a"], ["b", "a", "c"]])
    assert few == {"a": 0, "b": 1, "c": 2}  # by name, whatever their scores


@pytest.fixture(scope="module")
def figures(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int, bool], dict[str, Figure]]:
    """The figures of a number of methods as they were saved, {kind: figure}; with intervals only some."""
    folder = tmp_path_factory.mktemp("drawn")
    (folder / "efficiency").mkdir()

    @cache
    def drawn(count: int, intervals: bool = False) -> dict[str, Figure]:
        runs = [calibrated(run(name, "sod", number, 30)) for number, name in enumerate(NAMES[:count])]
        for place, one in enumerate(runs):
            measured = {"parameters": 5e6, "flops": 1e9, "images_per_second": 20 + place}
            (folder / "efficiency" / f"{folder_name(one.name)}.json").write_text(json.dumps(measured))
        kept: dict[str, Figure] = {}

        def keep(figure: Figure, path: Path, formats: Sequence[str]) -> list[Path]:
            figure.draw_without_rendering()
            kept[path.name.removesuffix("-sod")] = figure
            return [path]

        selection = Selection(sort="name")
        with pytest.MonkeyPatch.context() as patch:
            for module in FIGURE_MODULES:
                patch.setattr(module, "save", keep)
            shown = make_table(runs, selection, folder)
            if intervals:
                draw(runs, shown, folder, WITH_INTERVALS, intervals=True)
                return kept
            draw(runs, shown, folder)
            runs += [replace(one, dataset="ecssd") for one in runs]
            draw(runs, make_table(runs, selection), folder, ("ranks",))
        return kept

    return drawn


def by_max_f(count: int) -> list[str]:
    """The names of the fixture's methods in the order of max F."""
    scores = {name: table(30, number).scores["maxF"] for number, name in enumerate(NAMES[:count])}
    return sorted(scores, key=lambda name: -scores[name])


def texts(found: Iterable[Text]) -> list[str]:
    """What a reader sees of texts."""
    return [text.get_text().replace(r"\$", "$") for text in found]


@pytest.mark.parametrize("kind", ["pr", "f", "e", "reliability"])
@pytest.mark.parametrize("count", [8, 16])
def test_of_the_curves_of_many_methods_five_are_in_colour(figures, kind: str, count: int) -> None:
    figure = figures(count)[kind]
    coloured = by_max_f(count)[: 8 if count == 8 else 5]
    for axes in figure.axes:
        colours = [line.get_color() for line in axes.get_lines() if len(line.get_xdata()) > 5]
        colours = [colour for colour in colours if colour in (FADED, *COLOURS)]
        assert len(colours) == count and colours.count(FADED) == count - len(coloured)
        assert len(set(colours) - {FADED}) == len(coloured)
    (legend,) = figure.legends
    names = [text.split(": ECE")[0] for text in texts(legend.get_texts())]
    assert names == (coloured if count == 8 else [*coloured, "11 others"])


@pytest.mark.parametrize("count", [8, 16])
def test_legends_stand_beside_the_plots_and_nothing_is_cut(figures, count: int) -> None:
    drawn = figures(count)
    assert set(drawn) == set(KINDS) - {"attributes"}
    for name, figure in drawn.items():
        for legend in figure.legends:
            box = legend.get_window_extent()
            assert all(axes.get_window_extent().x1 < box.x0 for axes in figure.axes), name
        assert all(axes.get_legend() is None for axes in figure.axes), name
        tight = figure.get_tightbbox().transformed(figure.dpi_scale_trans)
        assert tight.x0 > -1 and tight.y0 > -1, name
        assert tight.x1 < figure.bbox.x1 + 1 and tight.y1 < figure.bbox.y1 + 1, name


@pytest.mark.parametrize("count", [8, 16])
def test_distributions_come_in_the_order_of_max_f(figures, count: int) -> None:
    axes = figures(count)["distribution"].axes[0]
    assert texts(axes.get_yticklabels()) == by_max_f(count)
    low, high = axes.get_ylim()
    assert low > high  # the first one is on top
    assert bool(axes.collections) == (count == 8)  # violins


def test_many_methods_have_a_panel_each_in_the_figure_of_sizes(figures) -> None:
    few = figures(8)["size"]
    assert len(few.axes) == 2
    for axes in few.axes:
        assert len(axes.get_lines()) == len(axes.texts) == 8
        ends = sorted(axes.transData.transform((1, text.xyann[1]))[1] for text in axes.texts)
        assert min(np.diff(ends)) > 10  # pixels between names
    many = [axes for axes in figures(16)["size"].axes if axes.axison]
    assert [axes.get_title("left").replace(r"\$", "$") for axes in many] == by_max_f(16)
    for axes in many:
        assert [line.get_color() for line in axes.get_lines()].count(FADED) == 15


def test_intervals_are_drawn_only_where_asked(figures) -> None:
    for name in WITH_INTERVALS:
        assert not figures(8)[name].axes[0].collections
        assert len(figures(2, True)[name].axes[0].collections) == 2


def test_names_in_the_figure_of_speed_do_not_overlap(figures) -> None:
    (axes,) = figures(16)["speed"].axes
    names = [name.rpartition(" 5.0")[0] for name in texts(axes.texts)]
    assert set(by_max_f(16)[:5]) <= set(names)
    boxes = [text.get_window_extent() for text in axes.texts]
    for number, text in enumerate(axes.texts):
        if text.get_color() == GREY:
            assert not any(boxes[number].overlaps(other) for other in boxes[:number])


@pytest.mark.parametrize("intervals", [False, True])
def test_attributes_of_many_methods_are_grey_strokes_but_five(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, intervals: bool
) -> None:
    kept: list[Figure] = []
    monkeypatch.setattr(attribute_figure, "save", lambda figure, path, formats: kept.append(figure) or [path])
    groups = [
        Group(*names, "", frozenset(map(str, range(20)))) for names in (("all", "all images"), ("size", "S"))
    ]
    metric = "S@pysodmetrics"
    scores = {
        (name, metric, place): GroupScore(number / 20, number / 20 - 0.01, number / 20 + 0.01, 0)
        for number, name in enumerate(NAMES)
        for place in range(2)
    }
    best = NAMES[::-1]
    styles = faded_beyond_best(looks(look_numbers([best])), best)
    breakdown = Breakdown("sod", "SOD", groups, NAMES, [metric], scores)
    attribute_figure.attribute_figure(breakdown, styles, tmp_path, ("png",), intervals)
    (legend,) = kept[0].legends
    assert texts(legend.get_texts()) == [*best[:5], "11 others"]
    lines = kept[0].axes[0].get_lines()
    assert sum(line.get_color() == FADED and line.get_marker() == "|" for line in lines) == 11
    bars = [line for line in lines if line.get_linestyle() == "-" and line.get_color() in COLOURS]
    assert len(bars) == (10 if intervals else 0)


@pytest.mark.parametrize("count", [4, 5])
def test_stress_of_many_baselines_is_one_panel_the_steadiest_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    kept: list[Figure] = []
    monkeypatch.setattr(stress_figure, "save", lambda figure, path, formats: kept.append(figure) or [path])
    records = []
    for number in range(count):
        falls = {"fog": 0.3 - number / 20, "snow": 0.2}
        cells = tuple(Cell(kind, 1, {"S@pysodmetrics": 0.9 - fall}) for kind, fall in falls.items())
        record = StressRecord(
            1, f"net {number}", "sod", "SOD", 9, 9, ("pysodmetrics",), "S@pysodmetrics", {},
            {"S@pysodmetrics": 0.9}, {}, cells, run("a", images=3).provenance,
        )  # fmt: skip
        records.append(record)
    stress_figure.stress_figure(records, "S@pysodmetrics", tmp_path / "x", ("png",))
    panels = kept[0].axes[:-1]  # the last is the scale of colours
    assert len(panels) == (4 if count == 4 else 1)
    if count == 5:
        assert texts(panels[0].get_yticklabels()) == [f"net {number}" for number in (4, 3, 2, 1, 0)]
        assert texts(panels[0].texts)[:3] == ["100", "200", "150"]  # fog, snow, mean of the first


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
    drawn = draw(runs, make_table(runs, Selection()), tmp_path, formats=("svg",))
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
