"""Data sets and samples as HTML."""

import base64
import io
import re
from pathlib import Path

import numpy as np
from PIL import Image

from sodbench.data.folder import DataSet, Sample, open_dataset, open_folders
from sodbench.data.images import Pixels


def images_in(html: str) -> list[Image.Image]:
    contents = re.findall(r'src="data:image/png;base64,([^"]+)"', html)
    return [Image.open(io.BytesIO(base64.b64decode(content))) for content in contents]


def write(path: Path, pixels: Pixels) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)
    return path


def test_a_sample_shows_picture_mask_and_map_at_most_320_pixels_wide(tmp_path: Path) -> None:
    picture = write(tmp_path / "i" / "a.png", np.full((200, 640, 3), (9, 80, 200), np.uint8))
    mask = write(tmp_path / "m" / "a.png", np.full((200, 640), 255, np.uint8))
    sample = Sample("a", picture, mask)
    shown = images_in(sample._repr_html_())
    assert [(image.size, image.mode) for image in shown] == [((320, 100), "RGB"), ((320, 100), "L")]
    assert shown[0].getpixel((0, 0)) == (9, 80, 200)
    shown = images_in(sample.with_map(np.full((20, 30), 7, np.uint8))._repr_html_())
    assert len(shown) == 3 and shown[2].size == (30, 20) and shown[2].getpixel((0, 0)) == 7, "not enlarged"
    assert (
        len(images_in(sample.with_map(mask)._repr_html_()))
        == len(images_in(sample.with_map(str(mask))._repr_html_()))
        == 3
    )
    assert len(images_in(Sample("a", None, mask)._repr_html_())) == 1


def test_an_unreadable_file_shows_its_error(tmp_path: Path) -> None:
    mask = write(tmp_path / "a.png", np.zeros((5, 5), np.uint8))
    html = Sample("<a>", tmp_path / "none.png", mask)._repr_html_()
    assert len(images_in(html)) == 1 and "none.png: no such file" in html
    assert "&lt;a&gt;" in html and "<a>" not in html


def test_a_data_set_shows_counts_folder_terms_and_quirks(tmp_path: Path) -> None:
    for folder in ("images", "GT"):
        write(tmp_path / "SOD" / folder / "27059.png", np.zeros((5, 5), np.uint8))
    html = open_dataset("sod", tmp_path)._repr_html_()
    assert "1 of 300" in html and str(tmp_path / "SOD") in html
    assert "licence" in html and "redistribution" in html and "known quirk" in html
    html = open_folders("<mine>", tmp_path / "SOD" / "GT")._repr_html_()
    assert "1 of 1" in html and "&lt;mine&gt;" in html and "licence" not in html


def test_names_and_paths_are_escaped(tmp_path: Path) -> None:
    html = DataSet("x", "a & b", (), 0, Path("<folder>"))._repr_html_()
    assert "a &amp; b" in html and "&lt;folder&gt;" in html
