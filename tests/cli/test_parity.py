"""`sodbench compare --parity` and `sodbench.parity`: two forms of a network, two folders of maps."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import sodbench as sb
from sodbench.cli.main import main
from sodbench.errors import InputError

STEMS = ("3096", "8049", "8143")


@pytest.fixture
def maps(here: Path, network: tuple[str, Path], root: Path) -> Path:
    """Maps of the three pictures of SOD in `maps`, and the same in `other`."""
    images = str(root / "SOD" / "images")
    job = ["predict", network[0], "--weights", str(network[1]), "--device", "cpu", "--images", images]
    assert main([*job, "--out", "maps", "--quiet"]) == 0
    shutil.copytree("maps", "other")
    return here / "maps"


def change(file: Path, amount: int, rows: slice = slice(None)) -> None:
    """Moves the levels of some rows towards the middle by `amount`."""
    levels = np.asarray(Image.open(file)).astype(int)
    levels[rows] += np.where(levels[rows] > 127, -amount, amount)
    Image.fromarray(levels.astype(np.uint8)).save(file)


def parity(*names: str, root: Path, more: tuple[str, ...] = ()) -> int:
    job = ["compare", "--parity", *names, "--dataset", "sod", "--data-root", str(root), "--quiet"]
    return main([*job, *more])


def test_equal_maps_hold(maps: Path, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert parity("maps", "other", root=root, more=("--levels", "0", "--score", "0")) == 0
    printed = capsys.readouterr()
    assert "the maps are equal" in printed.out and "parity holds" in printed.out
    assert printed.err == ""


def test_one_level_is_allowed_and_two_are_not(
    maps: Path, root: Path, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    score = ("--score", "0.1")
    change(here / "other" / "8049.png", 1, slice(0, 4))
    assert parity("maps", "other", root=root, more=score) == 0
    assert parity("maps", "other", root=root, more=(*score, "--levels", "0")) == 1
    change(here / "other" / "8143.png", 2, slice(0, 1))
    capsys.readouterr()
    assert parity("maps", "other", root=root, more=score) == 1
    printed = capsys.readouterr().out
    assert "largest difference: 2 levels, in 8143" in printed
    assert "parity does not hold: 2 levels, at most 1 allowed" in printed
    assert parity("maps", "other", root=root, more=(*score, "--levels", "2")) == 0


def test_a_score_that_moves_fails_alone(maps: Path, root: Path, here: Path) -> None:
    for stem in STEMS:
        change(here / "other" / f"{stem}.png", 20)
    assert parity("maps", "other", root=root, more=("--levels", "255", "--score", "1")) == 0
    assert parity("maps", "other", root=root, more=("--levels", "255")) == 1


def test_the_numbers_are_those_of_the_files(
    maps: Path, root: Path, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    change(here / "other" / "8049.png", 5)
    capsys.readouterr()
    assert (
        parity("maps", "other", root=root, more=("--json", "--metrics", "MAE", "S", "--protocol", "raw")) == 1
    )
    found = json.loads(capsys.readouterr().out)
    first, second = (
        np.stack([np.asarray(Image.open(here / folder / f"{stem}.png")).astype(int) for stem in STEMS])
        for folder in ("maps", "other")
    )
    apart = np.abs(first - second)
    assert found["pixels"] == apart.size and found["images"] == 3
    assert found["differing"] == pytest.approx((apart > 0).mean())
    assert found["shares"]["4-7"] == pytest.approx(((apart > 3) & (apart < 8)).mean())
    assert (found["largest_levels"], found["largest_image"]) == (5, "8049")
    masks = np.stack([np.asarray(Image.open(root / "SOD" / "GT" / f"{stem}.png")) for stem in STEMS])
    errors = [np.abs(levels - masks.astype(int)).mean() / 255 for levels in (first, second)]
    by_name = {one["metric"]: one for one in found["scores"]}
    assert set(by_name) == {"MAE", "S"}
    assert [by_name["MAE"]["first"], by_name["MAE"]["second"]] == pytest.approx(errors)
    assert by_name["MAE"]["difference"] == pytest.approx(abs(errors[0] - errors[1]))
    assert found["largest_score"]["difference"] == max(one["difference"] for one in found["scores"])
    assert found["worst_image"]["image"] == "8049"
    assert found["allowed"] == {"levels": 1, "score": 0.001} and found["holds"] is False


def test_a_network_in_two_precisions(
    network: tuple[str, Path], root: Path, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name, weights = network
    given = ("--weights", str(weights), "--json")
    assert parity(name, f"{name}@cpu@fp32", root=root, more=(*given, "--levels", "0", "--score", "0")) == 0
    capsys.readouterr()
    assert parity(name, f"{name}@bf16", root=root, more=(*given, "--levels", "0")) in (0, 1)
    found = json.loads(capsys.readouterr().out)
    assert found["second"].endswith("@bf16") and 0 <= found["largest_levels"] < 20
    assert list(here.iterdir()) == []  # the maps were temporary


def test_a_network_against_its_maps(maps: Path, network: tuple[str, Path], root: Path) -> None:
    found = sb.parity("maps", network[0], "sod", weights=network[1], data_root=root, levels=0, score=0)
    assert found.holds and found.largest_levels == 0 and "parity holds" in str(found)
    assert found.as_json()["holds"] is True


def test_a_baseline_of_the_package_against_bf16(root: Path, here: Path) -> None:
    found = sb.parity("basnet-tiny", "basnet-tiny@bf16", "sod", limit=2, data_root=root, metrics=["MAE"])
    assert found.images == 2 and found.largest_levels > 0
    assert found.shares["0"] < 1


@pytest.mark.parametrize(
    ("names", "more", "says"),
    [
        (("maps", "nowhere"), (), "unknown baseline 'nowhere'"),
        (("maps", "basnet-tiny@bf61"), (), "unknown form 'bf61' (did you mean 'bf16'"),
        (("maps", "basnet-tiny@cuda:77"), (), "device cuda:77"),
        (("maps", "@bf16"), (), "expected a folder of maps, or a baseline"),
        (("maps",), (), "--parity compares two forms, found 1"),
        (("maps", "other", "maps"), (), "--parity compares two forms, found 3"),
        (("maps", "./other"), ("--datasets", "sod", "ecssd"), None),
        (("maps", "other"), ("--levels", "256"), "--levels is 256, expected at most 255"),
        (("maps", "other"), ("--levels", "x"), "--levels is 'x'"),
        (("maps", "other"), ("--score", "-1"), "--score is -1"),
        (("maps", "other"), ("--score", "nan"), "--score is nan"),
        (("maps", "other"), ("--protocol", "rawr"), "unknown protocol 'rawr'"),
        (("maps", "other"), ("--metrics", "XY"), "XY"),
        (("maps", "other"), ("--weights", "maps/3096.png"), "neither maps nor other takes weights"),
        (("maps", "basnet-tiny"), ("--weights", "gone.pth"), "gone.pth: no such weights file"),
    ],
)
def test_bad_usage_is_one_line(
    names: tuple[str, ...],
    more: tuple[str, ...],
    says: str | None,
    maps: Path,
    root: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    capsys.readouterr()
    code = parity(*names, root=root, more=more)
    printed = capsys.readouterr()
    if says is None:  # --dataset is the one that counts
        assert code == 0
        return
    assert code == 2 and printed.out == ""
    assert says in printed.err and printed.err.count("\n") == 1


def test_maps_that_are_missing_or_of_another_size(
    maps: Path, root: Path, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Image.open(here / "other" / "8143.png").resize((20, 20)).save(here / "other" / "8143.png")
    capsys.readouterr()
    assert parity("maps", "other", root=root) == 2
    error = capsys.readouterr().err
    assert "8143: maps of two sizes, height x width" in error and "20 x 20" in error
    assert parity("maps", "other", root=root, more=("--limit", "2")) == 0
    (here / "other" / "8143.png").unlink()
    capsys.readouterr()
    assert parity("maps", "other", root=root) == 2
    assert "other: 1 of 3 maps of sod are missing: 8143" in capsys.readouterr().err


@pytest.mark.parametrize("option", [("--levels", "1"), ("--score", "1"), ("--limit", "3"), ("--quiet",)])
def test_its_options_need_it(option: tuple[str, ...], here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", "DSS", "Other", *option]) == 2
    assert f"{option[0]} goes with --parity" in capsys.readouterr().err


def test_without_parity_dataset_is_a_former_spelling(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", "DSS", "Other", "--dataset", "sod"]) == 2
    assert "note: --dataset is now called --datasets; the former spelling works in" in capsys.readouterr().err


def test_the_function_checks_its_arguments(maps: Path, root: Path) -> None:
    for wrong in ({"levels": -1}, {"levels": 0.5}, {"score": float("inf")}, {"limit": 0}):
        with pytest.raises(InputError):
            sb.parity("maps", "other", "sod", data_root=root, **wrong)
    with pytest.raises(InputError, match=r"second: expected a folder of maps.*, found int"):
        sb.parity("maps", 5, "sod", data_root=root)  # type: ignore[arg-type]
