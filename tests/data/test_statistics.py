"""Statistics of a set against a small set whose numbers are known, and the figure."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sodbench.data.auditing.object_statistics import draw_statistics, object_statistics
from sodbench.data.folder import open_dataset, open_folders


@pytest.fixture
def known(tmp_path: Path) -> Path:
    (tmp_path / "images").mkdir()
    (tmp_path / "masks").mkdir()

    def put(name: str, boxes: list[tuple[int, int, int, int]], ground: int, value: int) -> None:
        mask = np.zeros((40, 60), np.uint8)
        for top, left, bottom, right in boxes:
            mask[top:bottom, left:right] = 255
        picture = np.where(mask[:, :, None] > 0, value, ground) * np.ones(3)
        Image.fromarray(picture.astype(np.uint8)).save(tmp_path / "images" / f"{name}.png")
        Image.fromarray(mask).save(tmp_path / "masks" / f"{name}.png")

    put("a", [(10, 10, 30, 40)], 0, 255)
    put("b", [(0, 0, 10, 10), (20, 20, 30, 30)], 100, 100)
    put("c", [], 5, 5)
    put("d", [(0, 0, 40, 60)], 5, 9)
    put("e", [(5, 5, 6, 7)], 5, 9)  # a crumb of two pixels
    return tmp_path


def test_known_numbers(known: Path) -> None:
    statistics = object_statistics(open_folders("known", known / "masks", known / "images"))
    assert statistics.share == pytest.approx([600 / 2400, 200 / 2400, 0, 1, 2 / 2400])
    assert list(statistics.parts) == [1, 2, 0, 1, 0]
    assert list(statistics.border) == [False, True, False, True, False]
    assert statistics.contrast[0] == pytest.approx(np.sqrt(3)) and statistics.contrast[1] == pytest.approx(
        0, abs=1e-9
    )
    assert np.isnan(statistics.contrast[2:4]).all()
    assert statistics.positions.shape == (48, 48) and statistics.positions[24, 24] == pytest.approx(2 / 5)
    summary = statistics.summary()
    assert summary["touch the border"] == 0.4 and summary["no object"] == 0.2 and summary["pictures"] == 5


def test_corners_connect_and_contrast_is_that_of_the_nearest(tmp_path: Path) -> None:
    mask = np.zeros((60, 60), np.uint8)
    mask[20:28, 20:28] = mask[28:44, 28:44] = 255  # two boxes that touch at a corner, 24 pixels in all
    picture = np.full((60, 60), 200, np.uint8)
    picture[17:47, 17:47] = 50  # the band of 24 / 8 pixels around them
    picture[mask > 0] = 100
    for folder, pixels in (("masks", mask), ("images", picture)):
        (tmp_path / folder).mkdir()
        Image.fromarray(pixels).save(tmp_path / folder / "a.png")
    statistics = object_statistics(open_folders("corner", tmp_path / "masks", tmp_path / "images"))
    assert list(statistics.parts) == [1]
    assert statistics.contrast[0] == pytest.approx(np.sqrt(3) * 50 / 255, abs=1e-6)


def test_without_pictures_there_is_no_contrast(known: Path, tmp_path: Path) -> None:
    statistics = object_statistics(open_folders("known", known / "masks"))
    assert np.isnan(statistics.contrast).all() and statistics.summary()["contrast, median"] is None
    draw_statistics(statistics, tmp_path / "a.svg")


@pytest.mark.parametrize("ending", ["png", "svg", "pdf"])
def test_the_figure(known: Path, tmp_path: Path, ending: str) -> None:
    path = tmp_path / "deep" / f"figure.{ending}"
    draw_statistics(object_statistics(open_folders("known", known / "masks", known / "images")), path)
    head = {"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF"}[ending]
    assert path.read_bytes().startswith(head)
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


def test_the_sample_is_like_the_sets_of_the_field() -> None:
    summary = object_statistics(open_dataset("sample")).summary()
    assert 0.08 < summary["object share, median"] < 0.3
    assert 0.05 < summary["several objects"] < 0.5 and 0.1 < summary["touch the border"] < 0.7
    assert 0.05 < summary["contrast, median"] < 0.4
