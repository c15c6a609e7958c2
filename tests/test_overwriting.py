"""No command writes over, or among, the images and masks that it reads."""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sodbench.cli.main import main
from sodbench.data.folder import DataSet, open_folders
from sodbench.errors import InputError
from sodbench.evaluation import evaluate, evaluate_all
from sodbench.models import load_baseline
from sodbench.prediction import predict_files

Network = tuple[str, Path]


@pytest.fixture()
def own(here: Path) -> DataSet:
    """An ad-hoc set of three pairs in `here/own/images` and `here/own/masks`."""
    random = np.random.default_rng(0)
    for folder, shape in (("images", (40, 48, 3)), ("masks", (40, 48))):
        (here / "own" / folder).mkdir(parents=True)
        for stem in "abc":
            values = random.integers(0, 2, shape, dtype=np.uint8) * 255
            Image.fromarray(values).save(here / "own" / folder / f"{stem}.png")
    return open_folders("own", here / "own" / "masks", here / "own" / "images")


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.mark.parametrize("folder", ["images", "masks"])
@pytest.mark.parametrize("way", ["itself", "link", "dots"])
def test_run_into_the_sets_own_folder(
    own: DataSet, network: Network, here: Path, folder: str, way: str
) -> None:
    place = here / "own" / folder
    maps = here / "maps"
    maps.mkdir()
    if way == "itself":
        (here / "renamed").mkdir()
        shutil.move(here / "own" / "images", here / "renamed" / "images")
        shutil.move(here / "own" / "masks", here / "renamed" / "masks")
        maps = here / "renamed"
        place = maps / "own"
        (maps / folder).rename(place)
        others = {"images": maps / "images", "masks": maps / "masks", folder: place}
        own = open_folders("own", others["masks"], others["images"])
    elif way == "link":
        (maps / "own").symlink_to(place)
    else:
        (maps / "own").symlink_to(here / "own" / "masks" / ".." / folder)
    before = contents(here)
    for run in (evaluate, evaluate_all):
        with pytest.raises(InputError, match=r"own: is a folder of the images or masks .*; choose another"):
            run(network[0], own, weights=network[1], maps=maps, device="cpu")
    assert contents(here) == before


def test_a_set_below_the_data_root(root: Path, network: Network, here: Path) -> None:
    card = here / "datasets" / "images.toml"
    card.parent.mkdir()
    card.write_text(f'title = "Own"\nlocation = "{root / "SOD"}"\n[count]\npairs = 3\n')
    before = contents(root)
    command = ["run", network[0], "--weights", str(network[1]), "--device", "cpu", "--datasets", "images"]
    assert main([*command, "--maps", str(root / "SOD")]) == 2
    assert contents(root) == before and not (here / "reports").exists()


def test_run_before_any_work(own: DataSet, here: Path) -> None:
    """The network is not even loaded."""
    (here / "maps").mkdir()
    (here / "maps" / "own").symlink_to(here / "own" / "images")
    with pytest.raises(InputError, match="is a folder of the images"):
        evaluate("basnet-tiny", own, weights=here / "none.pth", maps=here / "maps")


@pytest.mark.parametrize("images", ["own/images", "own/images/a.png"])
@pytest.mark.parametrize("out", ["own/images", "link", "own/masks/../images"])
def test_predict_into_the_images(
    own: DataSet, network: Network, here: Path, capsys: pytest.CaptureFixture[str], images: str, out: str
) -> None:
    (here / "link").symlink_to(here / "own" / "images")
    before = contents(here)
    command = ["predict", network[0], "--weights", str(here / "none.pth"), "--device", "cpu"]
    assert main([*command, "--images", images, "--out", out]) == 2
    assert f"--out {out}: is a folder of the images" in capsys.readouterr().err
    assert contents(here) == before


def test_images_that_are_links_into_the_folder_of_the_maps(
    own: DataSet, network: Network, here: Path
) -> None:
    (here / "chosen").mkdir()
    (here / "chosen" / "a.png").symlink_to(here / "own" / "images" / "a.png")
    before = contents(here)
    command = ["predict", network[0], "--weights", str(network[1]), "--device", "cpu"]
    assert main([*command, "--images", "chosen", "--out", "own/images"]) == 2
    assert contents(here) == before


def test_the_library_refuses_a_map_over_an_image(own: DataSet, network: Network, here: Path) -> None:
    loaded = load_baseline(network[0]).load(network[1])
    picture = here / "own" / "images" / "a.png"
    hard = here / "maps" / "a.png"
    hard.parent.mkdir()
    os.link(picture, hard)
    before = contents(here)
    for target in (picture, picture.with_name("new.png"), hard):
        with pytest.raises(InputError, match="of the images or masks that are read"):
            predict_files(loaded.network, loaded.baseline, [(picture, target)])
    assert contents(here) == before


def test_maps_elsewhere_are_written(own: DataSet, network: Network, here: Path) -> None:
    """Into the folder above the images, and twice into one folder."""
    command = ["predict", network[0], "--weights", str(network[1]), "--device", "cpu", "--quiet"]
    for _ in range(2):
        assert main([*command, "--images", "own/images", "--out", "own"]) == 0
    assert main([*command, "--images", "own/images/a.png", "--out", "."]) == 0
    assert (here / "own" / "c.png").is_file() and (here / "a.png").is_file()


@pytest.mark.parametrize("what", ["file", "link", "pictures"])
def test_a_record_takes_the_place_of_a_record_only(
    own: DataSet, here: Path, capsys: pytest.CaptureFixture[str], what: str
) -> None:
    place = here / "r" / "runs" / "n" / "masks"
    place.parent.mkdir(parents=True)
    if what == "file":
        place.write_text("mine")
    elif what == "link":
        place.symlink_to("nowhere")
    else:
        shutil.copytree(here / "own" / "masks", place)
    before = contents(here)
    command = ["score", "own/masks", "--masks", "own/masks", "--name", "n", "--reports", "r", "--quiet"]
    for more in ([], ["--replace"]):
        assert main([*command, *more]) == 2
        assert f"{Path('r', 'runs', 'n', 'masks')}: " in capsys.readouterr().err
    assert contents(here) == before
    assert [path.name for path in place.parent.iterdir()] == ["masks"]


def test_show_and_plot_write_no_figure_among_the_images(
    root: Path, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    masks = root / "SOD" / "GT"
    score = ["score", str(masks), "--dataset", "sod", "--data-root", str(root), "--name", "n"]
    assert main([*score, "--quiet"]) == 0
    before = contents(root)
    assert main(["show", "n", "3096", "--out", str(masks / "3096.png")]) == 2
    plot = ["datasets", "show", "sod", "--data-root", str(root), "--plot"]
    assert main([*plot, str(masks / "3096.png")]) == 2
    assert contents(root) == before
    assert capsys.readouterr().err.count("of the images or masks that are read") == 2


def test_check_writes_no_junit_over_the_reference(root: Path, here: Path) -> None:
    masks = root / "SOD" / "GT"
    score = ["score", str(masks), "--dataset", "sod", "--data-root", str(root), "--name", "n"]
    assert main([*score, "--quiet"]) == 0
    assert main(["check", "--update"]) == 0
    before = contents(here)
    for option in ("--junit", "--summary"):
        assert main(["check", option, "reports/reference.json"]) == 2
    assert contents(here) == before


def test_train_deletes_no_images_below_its_folder(root: Path, network: Network, here: Path) -> None:
    """Its folder `validation/<data set>` is emptied before maps are written into it."""
    shutil.copytree(root / "SOD", here / "out" / "validation" / "mine")
    (here / "datasets").mkdir()
    (here / "datasets" / "mine.toml").write_text(
        f'title = "Mine"\nlocation = "{here / "out" / "validation" / "mine"}"\n[count]\npairs = 3\n'
    )
    before = contents(here)
    settings = [
        f"training.{one}"
        for one in (
            'dataset="mine"',
            'validate_on=["mine"]',
            "validate_every=1",
            "iterations=2",
            "batch=1",
            "lr=0.1",
            "resize=32",
        )
    ]
    command = ["train", network[0], "--workers", "0", "--device", "cpu", "--quiet", "--out", "out"]
    assert main([*command, *(word for one in settings for word in ("--set", one))]) == 2
    assert contents(here) == before
