"""A mask that is missing or cannot be read never makes a set smaller: it is an error, or shown as n/N."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import sodbench
from sodbench.cli.main import main
from sodbench.data.folder import open_dataset, open_folders
from sodbench.errors import InputError
from sodbench.map_scoring import score_maps
from sodbench.rescoring import rescore


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three images, masks and maps."""
    monkeypatch.chdir(tmp_path)
    mask = np.zeros((20, 30), np.uint8)
    mask[5:15, 5:20] = 255
    for inner in ("images", "masks", "maps"):
        (tmp_path / "set" / inner).mkdir(parents=True)
        for name in "abc":
            Image.fromarray(mask).save(tmp_path / "set" / inner / f"{name}.png")
    return tmp_path / "set"


WORDS = ["score", "set/maps", "--masks", "set/masks", "--metrics", "MAE", "--quiet", "--json"]


def spoil(path: Path, how: str) -> None:
    path.unlink()
    if how == "of another kind":
        path.with_suffix(".tga").write_bytes(b"x")
    elif how == "hidden":
        path.with_name(f".{path.name}").write_bytes(b"x")
    elif how == "a folder":
        path.mkdir()
    elif how == "a pipe":
        os.mkfifo(path)
    elif how == "a broken link":
        path.symlink_to("nowhere")
    elif how == "empty":
        path.touch()


@pytest.mark.parametrize(
    "how", ["missing", "of another kind", "hidden", "a folder", "a pipe", "a broken link", "empty"]
)
def test_a_mask_that_cannot_be_read_is_an_error(
    folder: Path, capsys: pytest.CaptureFixture[str], how: str
) -> None:
    spoil(folder / "masks" / "c.png", how)
    assert main(WORDS) == 2
    printed = capsys.readouterr()
    (line,) = printed.err.splitlines()
    assert line.startswith("sodbench: error: ") and "c" in line and not printed.out
    assert main([*WORDS, "--images", "set/images"]) == 2
    assert not (folder.parent / "reports").exists()


def test_maps_without_a_mask_count_where_missing_ones_are_allowed(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "masks" / "c.png").unlink()
    with pytest.raises(InputError, match=r"masks: 1 of 3 maps have no mask here: c; .*--allow-missing"):
        score_maps(folder / "maps", masks=folder / "masks")
    assert main([*WORDS, "--allow-missing"]) == 0
    printed = capsys.readouterr()
    (result,) = json.loads(printed.out)["results"]
    assert (result["scored"], result["expected"]) == (2, 3)
    assert "1 map belongs to no image" in printed.err
    (run,) = sodbench.load_runs("reports")
    assert run.count == rescore(run).count == "2/3"
    later = Path("set/maps/of-another-set.png")
    Image.open("set/maps/a.png").save(later)
    assert rescore(run).count == "2/3"
    later.unlink()
    compare = ["protocols", "compare", "set/maps", "--masks", "set/masks", "--metrics", "MAE", "--quiet"]
    assert main(compare) == 2
    capsys.readouterr()
    assert main([*compare, "--allow-missing"]) == 0
    assert "2/3 maps" in capsys.readouterr().out


def test_maps_beyond_the_images_of_a_set_do_not_count(folder: Path) -> None:
    for inner in ("masks", "images"):
        (folder / inner / "c.png").unlink()
    run = score_maps(folder / "maps", masks=folder / "masks", images=folder / "images", metrics="MAE")
    assert run.count == "2/2"


def test_a_set_that_is_added_keeps_the_number_of_its_images(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "masks" / "c.png").unlink()
    assert main(["datasets", "add", "set", "--name", "mine", "--images", "images", "--masks", "masks"]) == 0
    capsys.readouterr()
    dataset = open_dataset("mine")
    assert (len(dataset), dataset.expected) == (2, 3)
    words = ["score", "set/maps", "--dataset", "mine", "--metrics", "MAE", "--quiet", "--json"]
    assert main(words) == 0
    (result,) = json.loads(capsys.readouterr().out)["results"]
    assert (result["scored"], result["expected"]) == (2, 3)


def test_a_name_that_is_no_string(folder: Path) -> None:
    for name in (("a", 1), 3, b"a"):
        with pytest.raises(InputError, match="name"):
            open_folders(name, folder / "masks")  # type: ignore[arg-type]
        with pytest.raises(InputError, match="name"):
            score_maps(folder / "maps", masks=folder / "masks", name=name)  # type: ignore[arg-type]
