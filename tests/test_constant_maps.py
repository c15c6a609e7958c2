"""A run whose maps are all constant is refused, and leaves no record, unless it is asked for."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import sodbench as sb
from sodbench.cli.main import main
from sodbench.errors import InputError

GREY = [0, 90, 255, 7, 13, 128]


def write_maps(folder: Path, root: Path, constant: int) -> Path:
    """A map of each of ECSSD's six pairs; the first `constant` of them have one value."""
    folder.mkdir()
    for number, path in enumerate(sorted((root / "ECSSD" / "ground_truth_mask").iterdir())):
        levels = np.asarray(Image.open(path))
        Image.fromarray(np.full_like(levels, GREY[number]) if number < constant else levels // 2 + 20).save(
            folder / path.name
        )
    return folder


def score(folder: Path, root: Path, *options: str) -> int:
    return main(["score", str(folder), "--dataset", "ecssd", "--data-root", str(root), "--quiet", *options])


@pytest.mark.parametrize(
    ("constant", "code", "said"),
    [
        (0, 0, ""),
        (3, 0, ""),
        (
            4,
            0,
            "sodbench: note: {}: 4 of 6 maps are constant, without any salient region: 0001, 0002, 0003 ... ",
        ),
        (6, 2, "sodbench: error: {}: 6 of 6 maps are constant"),
    ],
)
def test_how_many_maps_are_constant(
    constant: int, code: int, said: str, root: Path, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_maps(here / "maps", root, constant)
    assert score(folder, root) == code
    error = capsys.readouterr().err
    assert said.format(folder) in error and (said or not error)
    assert (here / "reports").exists() == (code == 0)


def test_they_are_recorded_where_that_is_asked_for(
    root: Path, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_maps(here / "maps", root, 6)
    assert score(folder, root, "--allow-constant") == 0
    assert "note" in capsys.readouterr().err
    run = sb.load_runs("reports")[0]
    assert run.scored == 6
    # what was recorded can be repeated
    assert main(["reproduce", "reports/runs/maps/ecssd", "--data-root", str(root)]) == 0
    assert sb.rescore(run, data_root=root).scored == 6
    assert sb.score_maps(folder, "ecssd", data_root=root, reports=None, allow_constant=True).scored == 6
    with pytest.raises(InputError, match="6 of 6 maps are constant"):
        sb.score_maps(folder, "ecssd", data_root=root, reports=None)


@pytest.mark.parametrize(("mask", "code"), [("object", 2), ("empty", 0), ("full", 0)])
def test_a_constant_map_is_right_for_a_mask_of_one_value(
    mask: str, code: int, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    levels = np.zeros((20, 20), np.uint8)
    if mask != "empty":
        levels[:, slice(None) if mask == "full" else slice(10)] = 255
    for folder, pixels in (("maps", np.zeros_like(levels)), ("masks", levels)):
        (here / folder).mkdir()
        Image.fromarray(pixels).save(here / folder / "one.png")
    assert main(["score", "maps", "--masks", "masks", "--quiet"]) == code
    assert ("one.png: an empty mask, without any object; all 1 masks are so" in capsys.readouterr().err) == (
        mask == "empty"
    )


def test_a_network_that_answers_every_image_with_one_value(
    root: Path, network: tuple[str, Path], here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    torch.save({"gain": torch.tensor(0.0)}, here / "zero.pth")
    job = [
        "run",
        network[0],
        "--weights",
        "zero.pth",
        "--datasets",
        "sod",
        "--data-root",
        str(root),
        "--quiet",
    ]
    assert main(job) == 2
    assert "3 of 3 maps are constant" in capsys.readouterr().err
    assert not (here / "reports").exists()
    assert main([*job, "--allow-constant", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["results"][0]["scored"] == 3


def test_merged_scorers_know_the_constant_maps_of_both() -> None:
    mask = np.zeros((8, 8), np.uint8)
    mask[2:5, 2:5] = 255
    one, other = sb.Scorer(), sb.Scorer()
    one.update(np.full_like(mask, 3), mask, name="a")
    other.update(mask, mask, name="b")
    other.update(np.full(mask.shape, 0.25), mask, name="c")
    one.merge(other)
    assert one.result().constant_maps == ("a", "c")
