"""Error pictures, the gallery's choice and files, the page's packed data, `sodbench show`."""

import base64
import shutil
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from report.pictured import made, nameless, per_image
from sodbench.cli.main import main
from sodbench.reporting.gallery import chosen_images, make_gallery
from sodbench.reporting.page_data import NONE, compressed, fitting_scale, image_scores, pack
from sodbench.reporting.pictures import FALSE_NEGATIVE, FALSE_POSITIVE, Pictures, boundary, error_overlay
from sodbench.results.loading import load_runs


def block(rows: slice, columns: slice) -> np.ndarray:
    pixels = np.zeros((20, 30), np.uint8)
    pixels[rows, columns] = 255
    return pixels


def test_errors_are_coloured_by_their_kind() -> None:
    mask, saliency = block(slice(5, 15), slice(5, 15)), block(slice(5, 15), slice(10, 20))
    overlay = error_overlay(np.full((20, 30, 3), 100, np.uint8), mask, saliency)

    def nearest(pixel: np.ndarray) -> str:
        tones = {
            "positive": FALSE_POSITIVE,
            "negative": FALSE_NEGATIVE,
            "agreed": (150,) * 3,
            "ground": (35,) * 3,
        }
        return min(tones, key=lambda name: np.abs(np.array(tones[name], int) - pixel).sum())

    assert nearest(overlay[10, 17]) == "positive" and nearest(overlay[10, 7]) == "negative"
    assert nearest(overlay[10, 12]) == "agreed" and nearest(overlay[1, 1]) == "ground"
    assert (overlay[5, 5:15] == 255).all() and overlay.dtype == np.uint8


def test_errors_are_in_proportion() -> None:
    mask = block(slice(0, 20), slice(0, 15))
    weak, strong = (error_overlay(None, mask, np.full((20, 30), v, np.uint8))[10, 25, 2] for v in (60, 200))
    assert 0 < weak < strong


def test_the_boundary_is_the_objects_outermost_pixels_and_not_the_pictures_edge() -> None:
    edge = boundary(block(slice(5, 15), slice(5, 15)))
    expected = np.zeros((20, 30), bool)
    expected[5:15, [5, 14]] = True
    expected[[5, 14], 5:15] = True
    np.testing.assert_array_equal(edge, expected)
    assert not boundary(np.full((4, 4), 255, np.uint8)).any()


def test_the_worst_the_best_and_the_largest_disagreements_are_chosen_once() -> None:
    scores = np.array([[0.1, 0.9, 0.5, 0.2, np.nan], [0.1, 0.9, 0.5, 0.9, np.nan]])
    assert chosen_images(scores, True, 1) == [0, 1, 3]
    assert chosen_images(scores, False, 1) == [1, 0, 3]
    assert chosen_images(scores[:1], True, 1) == [0, 1]
    assert sorted(chosen_images(scores, True, 9)) == [0, 1, 2, 3]
    assert chosen_images(np.empty((0, 0)), True, 3) == []


@given(st.lists(st.floats(-0.99, 2.2) | st.just(float("nan")), max_size=20))
def test_packed_scores_keep_four_digits(values: list[float]) -> None:
    codes = np.frombuffer(base64.b64decode(pack(np.array(values))), "<u2").astype(float)
    back = np.where(codes == NONE, np.nan, codes / 20000 - 1)
    np.testing.assert_allclose(back, values, atol=2.6e-5)


@given(st.lists(st.floats(0, 1e6) | st.just(float("nan")), min_size=1, max_size=20))
def test_scores_without_an_upper_end_are_packed_whole(values: list[float]) -> None:
    scale = fitting_scale(np.array(values))
    codes = np.frombuffer(base64.b64decode(pack(np.array(values), scale=scale)), "<u2").astype(float)
    back = np.where(codes == NONE, np.nan, codes / scale - 1)
    np.testing.assert_allclose(back, values, atol=0.51 / scale)


def test_addresses_are_stored_as_their_common_part_and_the_exceptions() -> None:
    images = ["a b", "c", "d", "e"]
    packed = compressed(["../x/a%20b.png", "../x/c.png", None, "../x/e.bmp"], images)
    assert packed == {"start": "../x/", "end": ".png", "others": {"2": None, "3": "../x/e.bmp"}}
    assert compressed([None, None, "../x/d.png", None], images) == {
        "start": None,
        "end": None,
        "others": {"2": "../x/d.png"},
    }


def test_the_gallery_finds_and_shrinks_files(tmp_path: Path) -> None:
    reports, root = tmp_path / "reports", tmp_path / "Blocks"
    made(reports, root, {"still": 0, "a/b": 2})
    runs = load_runs(reports)
    images = list(per_image(reports, "still", "S").index)
    gallery = make_gallery(reports, runs, images, image_scores(runs, "pysodmetrics", images), 2)
    assert not gallery.notes and 2 <= len(gallery.thumbnails) <= 6
    for image, files in gallery.thumbnails.items():
        assert set(files) == {"picture", "mask", "map:a/b", "map:still"}, image
        for address in files.values():
            assert Image.open(reports / unquote(address)).size == (64, 48)
    for key, addresses in gallery.sources.items():
        assert all((reports / unquote(str(address))).resolve().is_file() for address in addresses), key


def test_broken_and_missing_files_are_named_and_the_others_shown(tmp_path: Path) -> None:
    reports, root = tmp_path / "reports", tmp_path / "Blocks"
    made(reports, root, {"still": 0, "slow": 1})
    runs = load_runs(reports)
    images = list(per_image(reports, "still", "S").index)
    for path in (root / "maps" / "slow").iterdir():
        path.write_bytes(b"broken")
    scores = image_scores(runs, "pysodmetrics", images)
    gallery = make_gallery(reports, runs, images, scores, 1)
    assert any("not shown" in note and "slow" in note for note in gallery.notes)
    assert all("map:still" in files and "map:slow" not in files for files in gallery.thumbnails.values())
    shutil.rmtree(root / "maps" / "slow")
    assert any(
        "maps of slow are no longer" in n for n in make_gallery(reports, runs, images, scores, 0).notes
    )
    shutil.rmtree(root)
    notes = make_gallery(reports, runs, images, scores, 1).notes
    assert any("the images are no longer in" in note for note in notes)


def test_show_renders_one_sheet_and_prints_its_scores(tmp_path: Path, capsys) -> None:
    reports = tmp_path / "reports"
    made(reports, tmp_path / "Blocks", {"slow": 1})
    out = tmp_path / "sheet.png"
    assert main(["show", "slow", "0004.jpg", "--reports", str(reports), "--out", str(out)]) == 0
    printed = capsys.readouterr().out
    value = per_image(reports, "slow", "S")["0004"]
    assert (
        str(out) in printed and f"S@pysodmetrics           {value:.4f}" in printed and "relaxP" not in printed
    )
    pixels = np.asarray(Image.open(out).convert("RGB")).reshape(-1, 3).astype(int)
    for colour in (FALSE_POSITIVE, FALSE_NEGATIVE):
        assert (np.abs(pixels - np.array(colour)).sum(axis=1) < 60).sum() > 50


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["sloww", "0004"], "did you mean 'slow'"),
        (["slow", "0044"], "unknown image '0044' (did you mean"),
        (["slow", "0004", "--dataset", "sod"], "unknown data set of slow 'sod'"),
        (["slow", "0004", "--out", "x.jpg"], "ends in .png"),
        (["plain", "0001"], "the images are no longer in"),
        (["two", "0001"], "choose one with --dataset"),
    ],
)
def test_show_says_what_is_wrong_in_one_line(
    tmp_path: Path, capsys, arguments: list[str], message: str
) -> None:
    reports = tmp_path / "reports"
    made(reports, tmp_path / "Blocks", {"slow": 1})
    nameless(reports)
    nameless(reports, "two", "one")
    nameless(reports, "two", "other")
    assert main(["show", *arguments, "--reports", str(reports)]) == 2
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1


def test_a_picture_may_be_missing_from_the_sheet(tmp_path: Path) -> None:
    reports, root = tmp_path / "reports", tmp_path / "Blocks"
    made(reports, root, {"slow": 1})
    shutil.rmtree(root / "images")
    (run,) = load_runs(reports)
    assert Pictures(run).picture("0001") is None and Pictures(run).mask("0001") is not None
    assert main(["show", "slow", "0001", "--reports", str(reports), "--out", str(tmp_path / "s.png")]) == 0


@pytest.mark.parametrize("size", [(3000, 1), (1, 3000)])
def test_the_sheet_of_a_long_image_fits_a_figure(tmp_path: Path, size: tuple[int, int]) -> None:
    reports, root, out = tmp_path / "reports", tmp_path / "Blocks", tmp_path / "s.png"
    made(reports, root, {"slow": 1})
    for path in (
        root / "images" / "0001.jpg",
        root / "masks" / "0001.png",
        root / "maps" / "slow" / "0001.png",
    ):
        Image.fromarray(np.full(size, 255, np.uint8)).save(path)
    assert main(["show", "slow", "0001", "--reports", str(reports), "--out", str(out)]) == 0
    with Image.open(out) as sheet:
        assert max(sheet.size) < 6000


def test_an_image_of_another_size_than_its_mask_is_not_drawn_under_its_errors(tmp_path: Path) -> None:
    reports, root = tmp_path / "reports", tmp_path / "Blocks"
    made(reports, root, {"slow": 1})
    Image.new("RGB", (7, 5)).save(root / "images" / "0001.jpg")
    assert main(["show", "slow", "0001", "--reports", str(reports), "--out", str(tmp_path / "s.png")]) == 0
