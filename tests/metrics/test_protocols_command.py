"""`sodbench protocols`: what it prints, and that its explanations are right."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sodbench.cli.main import main
from sodbench.metrics import Protocol, Scorer, ScoreTable, load_protocol, protocol_names
from sodbench.metrics.explain import PrintedNumber, explained, parse_published, single_changes


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """Ten soft maps that stay away from 0 and 255, and their masks."""
    root = tmp_path_factory.mktemp("maps")
    random = np.random.default_rng(2)
    y, x = np.mgrid[:60, :80]
    for index in range(10):
        field = np.sin(x / random.uniform(8, 20)) + np.cos(y / random.uniform(6, 12))
        prediction = np.clip(110 + 50 * (field + random.normal(0, 0.4, field.shape)), 30, 200)
        for name, values in (("maps", prediction.astype(np.uint8)), ("masks", (field > 0.5) * np.uint8(255))):
            (root / name).mkdir(exist_ok=True)
            Image.fromarray(values).save(root / name / f"{index}.png")
    return str(root / "maps"), str(root / "masks")


def answer(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict:
    assert main(["protocols", *arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_list_and_show(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["protocols", "list"]) == 0
    printed = capsys.readouterr().out
    assert all(name in printed for name in protocol_names())
    assert "every protocol also scores BER " in printed and " calibration " in printed
    assert [one["name"] for one in answer(capsys, "list")["protocols"]] == protocol_names()
    assert main(["protocols", "show", "basnet2019"]) == 0
    printed = capsys.readouterr().out
    assert "f_average" in printed and "pysodmetrics: images" in printed
    assert "F curve: is F of mean precision and mean recall" in printed
    assert "e_comparator" not in printed, "it defines no E-measure"
    assert answer(capsys, "show", "raw")["mask_threshold"] == 127.0


def test_compare(folders: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    maps, masks = folders
    assert main(["protocols", "compare", maps, "--masks", masks, "--quiet"]) == 0
    printed = capsys.readouterr().out
    assert "10/10" in printed.splitlines()[0]
    assert "spread" in printed.splitlines()[1]
    found = answer(capsys, "compare", maps, "--masks", masks, "--quiet")
    assert list(found["scores"]) == protocol_names()
    values = [scores["MAE"] for scores in found["scores"].values()]
    assert found["spread"]["MAE"] == pytest.approx(max(values) - min(values))
    assert found["spread"]["MAE"] > 0.05  # soft maps: stretched or not is what matters


def test_compare_asks_each_protocol_for_what_it_defines(
    folders: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    maps, masks = folders
    found = answer(capsys, "compare", maps, "--masks", masks, "--quiet", "--metrics", "S", "wF", "IoU")
    assert set(found["scores"]["sal-eval"]) == {"S", "IoU", "maxIoU", "meanIoU", "adpIoU"}
    assert {"S", "wF"} < set(found["scores"]["raw"])
    assert "S" not in found["scores"]["basnet2019"]


def test_compare_takes_full_names(folders: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    maps, masks = folders
    found = answer(capsys, "compare", maps, "--masks", masks, "--quiet", "--metrics", "S", "MAE@raw")
    assert set(found["scores"]["raw"]) == {"S", "MAE"}
    assert set(found["scores"]["sal-eval"]) == {"S"}
    arguments = ["compare", maps, "--masks", masks, "--quiet", "--metrics", "MAE@raw", "--protocols", "salod"]
    assert main(["protocols", *arguments]) == 2
    assert "MAE@raw: that protocol is not selected (only salod" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["basnet2019", "sal-eval", "raw"])
def test_explain_finds_the_protocol_of_a_number(
    name: str, folders: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    maps, masks = folders
    scores = answer(capsys, "compare", maps, "--masks", masks, "--quiet")["scores"]
    printed = [f"maxF={scores[name]['maxF']:.3f}", f"MAE={scores[name]['MAE']:.3f}"]
    found = answer(capsys, "explain", maps, "--masks", masks, "--quiet", "--published", *printed)
    assert name in found["fits_all"]
    for other in found["fits_all"]:
        assert abs(scores[other]["maxF"] - scores[name]["maxF"]) <= 0.001


def test_explain_names_the_convention_that_would_have_to_differ(
    folders: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    maps, masks = folders
    scores = answer(capsys, "compare", maps, "--masks", masks, "--quiet")["scores"]
    printed = f"MAE={scores['raw']['MAE']:.4f}"
    found = answer(
        capsys,
        "explain",
        maps,
        "--masks",
        masks,
        "--quiet",
        "--published",
        printed,
        "--protocols",
        "pysodmetrics",
    )
    assert found["fits_all"] == []
    changes = found["published"][0]["single_changes_that_fit"]["pysodmetrics"]
    assert list(changes) == ["mae_scale = 255"]
    assert main(["protocols", "explain", maps, "--masks", masks, "--quiet", "--published", printed]) == 0
    printed = capsys.readouterr().out
    assert "; would match with mae_scale = 255" in printed
    assert "  mae_scale = 255: MAE divides the map by 255" in printed


def test_explain_says_when_nothing_fits(folders: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    maps, masks = folders
    assert main(["protocols", "explain", maps, "--masks", masks, "--quiet", "--published", "maxF=.123"]) == 0
    assert "no protocol matches" in capsys.readouterr().out


def test_of_protocols_equally_near_the_first_is_explained() -> None:
    # a set of names has another order in every process
    protocols = [dataclasses.replace(load_protocol("raw"), name=f"p{n}") for n in range(20)]
    pixels = np.full((8, 8), 200, np.uint8)

    def score(chosen: list[Protocol], families: list[str] | None) -> dict[str, ScoreTable]:
        tables = {}
        for protocol in chosen:
            scorer = Scorer(protocol, ["MAE"])
            scorer.update(pixels, pixels)
            tables[protocol.name] = scorer.result()
        return tables

    (explanation,) = explained(parse_published(["MAE=.9"]), protocols, score)
    assert list(explanation["single_changes_that_fit"]) == ["p0"]


def test_a_maximum_of_each_image_is_tried_for_max_f_and_max_e_only() -> None:
    """Some papers print the mean of the images' own best F, which is above the data set's maximum."""
    scorer = Scorer("raw", ["F", "E", "MAE"])
    random = np.random.default_rng(4)
    mask = np.zeros((20, 30), np.uint8)
    mask[5:15, 5:20] = 255
    for level in (60, 120, 180):
        prediction = np.where(mask > 0, level, level - 40) + random.integers(0, 30, mask.shape)
        scorer.update(prediction.astype(np.uint8), mask)
    table = scorer.result()
    best = {name: float(table.per_image[name].mean()) for name in ("maxF", "maxE", "meanE", "MAE")}
    assert best["maxF"] > table.scores["maxF"] + 0.1

    def score(protocols: list[Protocol], _: object) -> dict[str, ScoreTable]:
        return {protocol.name: table for protocol in protocols}

    published = parse_published([f"{name}={best[name]:.3f}" for name in ("maxF", "maxE", "meanE", "MAE")])
    tried = {
        one["metric"]: one["best_threshold_per_image"]
        for one in explained(published, [load_protocol("raw")], score)
    }
    assert tried["maxF"] == {"raw": pytest.approx(best["maxF"])}
    assert tried["maxE"] == {"raw": pytest.approx(best["maxE"])}
    assert tried["meanE"] == tried["MAE"] == {}
    (other,) = explained(parse_published(["maxF=.001"]), [load_protocol("raw")], score)
    assert other["best_threshold_per_image"] == {}


def test_rounding() -> None:
    (one,) = parse_published(["maxF=.844"])
    assert one == PrintedNumber("maxF", 0.844, 3)
    assert one.fits(0.8435) and one.fits(0.84449) and not one.fits(0.8446)
    assert parse_published(["S=1", "MAE=0.10"])[1].digits == 2


def test_single_changes_leave_the_name_behind() -> None:
    changes = dict(single_changes(load_protocol("pysodmetrics"), "F"))
    assert changes["f_average = means"].f_average == "means"
    assert changes["f_average = means"].name != "pysodmetrics"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["show", "rw"], "did you mean 'raw'"),
        (["compare", "MAPS", "--masks", "MASKS", "--protocols", "raw", "rw", "sal"], "'rw'"),
        (["compare", "MAPS"], "--dataset"),
        (["compare", "nowhere", "--masks", "MASKS"], "nowhere"),
        (["compare", "MAPS", "--masks", "MASKS", "--metrics", "Q"], "unknown metric 'Q'"),
        (["compare", "MAPS", "--masks", "MASKS", "--protocols", "basnet2019", "--metrics", "E"], "defines E"),
        (["explain", "MAPS", "--masks", "MASKS", "--published", "maxf=.8"], "did you mean 'maxF'"),
        (["explain", "MAPS", "--masks", "MASKS", "--published", "maxF"], "METRIC=NUMBER"),
        (["explain", "MAPS", "--masks", "MASKS", "--published", "maxF=84.4"], "0..1"),
    ],
)
def test_bad_usage_is_one_line_and_exit_2(
    arguments: list[str],
    message: str,
    folders: tuple[str, str],
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    places = {"MAPS": folders[0], "MASKS": folders[1], "nowhere": str(tmp_path / "nowhere")}
    assert main(["protocols", *(places.get(one, one) for one in arguments)]) == 2
    printed = capsys.readouterr().err.strip()
    assert message in printed
    assert "\n" not in printed
