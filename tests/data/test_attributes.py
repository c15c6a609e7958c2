"""What is measured on shapes whose quantities are known, the groups by their bounds, and a card's lists."""

import math
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sodbench.data.attributes import ATTRIBUTES, MEASURES, ImageAttributes, measure
from sodbench.data.folder import DataSet, open_dataset, open_folders, open_to_score
from sodbench.data.objects import axis_ratio, colour_contrast, components_of, width_to_length
from sodbench.errors import InputError, Note

DOCS = Path(__file__).parents[2] / "docs" / "attributes.md"


def strip(width: int, length: int, bent: bool = False) -> np.ndarray:
    inside = np.zeros((length + 20, length + 20), bool)
    inside[10 : 10 + width, 10 : 10 + (length // 2 if bent else length)] = True
    if bent:
        inside[10 : 10 + length // 2, 10 : 10 + width] = True
    return inside


def test_shape_is_that_of_rectangles_and_discs() -> None:
    y, x = np.mgrid[:220, :220]
    disc = (y - 110) ** 2 + (x - 110) ** 2 < 100**2
    assert axis_ratio(disc) == pytest.approx(1, abs=1e-3)
    assert width_to_length(disc) == pytest.approx(16 / (9 * math.pi), rel=0.03)
    assert axis_ratio(strip(20, 80)) == pytest.approx(0.25)
    assert width_to_length(strip(100, 100)) == pytest.approx(4 / 9, rel=0.02)
    assert width_to_length(strip(10, 400)) == pytest.approx(10 / 400, rel=0.1)
    # a bent strip is as thin as a straight one, though its axes are not those of a thin object
    assert width_to_length(strip(10, 400, bent=True)) == pytest.approx(10 / 400, rel=0.1)
    assert axis_ratio(strip(10, 400, bent=True)) > 0.4


def test_the_largest_component_is_cut_out_with_a_border() -> None:
    inside = np.zeros((40, 40), bool)
    inside[0:10, 0:10] = inside[20:25, 20:25] = inside[39, 39] = True
    components = components_of(inside)
    assert components.counted == 2  # one pixel of 1600 is noise
    largest = components.largest()
    assert largest.shape == (12, 12) and largest.sum() == 100 and not largest[0].any()


def test_contrast_is_the_distance_of_the_histograms() -> None:
    inside = np.zeros((60, 60), bool)
    inside[20:40, 20:40] = True
    picture = np.full((60, 60, 3), 40, np.uint8)
    assert colour_contrast(picture, inside) == 0
    picture[inside] = 200
    assert colour_contrast(picture, inside) == 1
    picture[20:40, 20:30] = 40  # half of the object looks like its surroundings: (1/2)^2/(3/2)/2 + 1/4
    assert colour_contrast(picture, inside) == pytest.approx(1 / 12 + 1 / 4)
    picture[:10] = 255  # beyond the band of 3 pixels
    assert colour_contrast(picture, inside) == pytest.approx(1 / 12 + 1 / 4)
    for empty in (np.zeros((60, 60), bool), np.ones((60, 60), bool)):
        assert math.isnan(colour_contrast(picture, empty))


def write(folder: Path, pairs: dict[str, tuple[np.ndarray, int]]) -> None:
    """Masks, and images with objects of one grey level on 0."""
    for inner in ("images", "masks"):
        (folder / inner).mkdir(parents=True)
    for name, (inside, level) in pairs.items():
        Image.fromarray(np.where(inside, 255, 0).astype(np.uint8)).save(folder / "masks" / f"{name}.png")
        Image.fromarray(np.where(inside, level, 0).astype(np.uint8)).save(folder / "images" / f"{name}.png")


def boxes(*places: tuple[int, int, int, int]) -> np.ndarray:
    inside = np.zeros((100, 100), bool)
    for top, left, bottom, right in places:
        inside[top:bottom, left:right] = True
    return inside


@pytest.fixture
def known(tmp_path: Path) -> Path:
    pairs = {
        "small": (boxes((10, 10, 40, 40)), 200),  # 9 %
        "ten": (boxes((10, 10, 60, 30)), 0),  # 10 %: medium; 1 : 2.5: compact
        "half": (boxes((0, 0, 100, 50)), 200),  # 50 %: medium
        "large": (boxes((0, 0, 100, 51)), 200),
        "empty": (boxes(), 0),
        "full": (boxes((0, 0, 100, 100)), 200),
        "thin": (boxes((50, 5, 53, 95)), 200),
        "long": (boxes((20, 10, 45, 90)), 200),
        "two": (boxes((10, 10, 30, 30), (50, 50, 70, 70)), 200),
        "three": (boxes((10, 10, 30, 30), (50, 50, 70, 70), (80, 80, 99, 99)), 200),
        "crumb": (boxes((10, 10, 12, 13)), 200),  # 6 of 10000 pixels, and nothing else
    }
    write(tmp_path, pairs)
    return tmp_path


def attributes_of(dataset: DataSet) -> ImageAttributes:
    return ImageAttributes("x", dataset.digest(), tuple(s.name for s in dataset), measure(dataset))


def test_every_image_is_in_its_groups(known: Path) -> None:
    groups = {
        str(g): set(g.images)
        for g in attributes_of(open_folders("x", known / "masks", known / "images")).groups()
    }
    assert groups["size: small"] == {"small", "thin", "two", "crumb"}
    assert groups["size: medium"] == {"ten", "half", "long", "three"} and groups["size: large"] == {
        "large",
        "full",
    }
    assert groups["objects: none"] == {"empty"} and groups["objects: two"] == {"two"}
    assert groups["objects: three or more"] == {"three"} and "crumb" in groups["objects: one"]
    assert groups["border: touching"] == {"half", "large", "full"}
    assert groups["shape: thin"] == {"thin"} and groups["shape: elongated"] == {"long"}
    assert {"small", "ten", "full"} <= groups["shape: compact"]
    assert groups["contrast: low"] == {"ten"} and "small" in groups["contrast: high"]
    # each attribute splits the images that it applies to
    for attribute, rules in ATTRIBUTES.items():
        members = [groups[f"{attribute}: {rule.name}"] for rule in rules]
        without = {"objects": set(), "contrast": {"empty", "full"}}.get(attribute, {"empty"})
        assert sum(map(len, members)) == len(set().union(*members)) == 11 - len(without)
        assert not without & set().union(*members)


def test_without_images_there_is_no_contrast_and_a_note(known: Path) -> None:
    attributes = attributes_of(open_folders("x", known / "masks"))
    assert "contrast" not in {group.attribute for group in attributes.groups()}
    assert attributes.notes() == ["contrast is not measured: it needs the images, and only masks were here"]
    assert list(attributes.measures) == list(MEASURES)


def test_an_image_of_another_size_than_its_mask_is_refused(known: Path) -> None:
    Image.new("RGB", (50, 40)).save(known / "images" / "ten.png")
    with pytest.raises(InputError, match=r"ten.png: its size differs .*100 x 100 and 40 x 50"):
        measure(open_folders("x", known / "masks", known / "images"))


def test_a_set_of_masks_alone_can_be_scored_against(root: Path) -> None:
    images = root / "SOD" / "images"
    for file in images.iterdir():
        file.unlink()
    images.rmdir()
    with pytest.warns(Note, match="sod: no images in its folder; only its masks are used"):
        dataset = open_to_score("sod", root)
    assert [sample.image for sample in dataset] == [None] * 3
    with pytest.raises(InputError, match="holds no images and masks"):
        open_dataset("sod", root)


def test_the_documentation_has_every_definition() -> None:
    text = DOCS.read_text(encoding="utf-8")
    for attribute, rules in ATTRIBUTES.items():
        for rule in rules:
            assert f"| {attribute} | {rule.name} | {rule.definition} |" in text
