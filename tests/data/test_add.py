"""Sets of one's own: what is guessed from the folders that people have."""

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sodbench.cli.main import main
from sodbench.data.adding.detect import detect_sets
from sodbench.data.adding.new_cards import new_cards, write_cards
from sodbench.data.folder import open_dataset
from sodbench.data.synthetic import make_picture
from sodbench.errors import InputError


def put(
    folder: Path, images: str, masks: str, names: list[str], suffix: str = "", image_ending: str = ".jpg"
) -> None:
    for index, name in enumerate(names):
        picture, mask = make_picture("train", index)
        for path, pixels in (
            (folder / images / f"{name}{image_ending}", picture),
            (folder / masks / f"{name}{suffix}.png", mask),
        ):
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels[::2, ::2]).save(path)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path / "my data"


@pytest.mark.parametrize(
    ("images", "masks", "suffix", "ending"),
    [
        ("images", "masks", "", ".jpg"),
        ("Image", "GT", "", ".png"),
        ("rgb", "labels", "_mask", ".png"),
        ("a", "b", "", ".jpg"),
        ("x/photos", "x/ground_truth", "", ".jpeg"),
        (".", ".", "", ".jpg"),
        (".", ".", "_mask", ".png"),
        ("all", "all", "-gt", ".jpg"),
    ],
)
def test_folders_are_recognised(here: Path, images: str, masks: str, suffix: str, ending: str) -> None:
    put(here, images, masks, ["b", "a", "c"], suffix, ending)
    (detected,) = detect_sets(here)
    assert (detected.images, detected.masks, detected.mask_suffix, detected.pairs, detected.unmasked) == (
        images,
        masks,
        suffix,
        3,
        0,
    )
    assert main(["datasets", "add", str(here), "--name", "mine"]) == 0
    dataset = open_dataset("mine")
    assert [sample.name for sample in dataset.samples] == ["a", "b", "c"] and dataset.expected == 3
    for sample in dataset.samples:
        assert sample.image is not None and sample.mask is not None and sample.image != sample.mask
        assert sample.mask.stem == sample.name + suffix


@pytest.mark.parametrize("layout", ["{split}/images|{split}/masks", "images/{split}|masks/{split}"])
def test_splits_become_sets(here: Path, layout: str) -> None:
    images, masks = layout.split("|")
    put(here, images.format(split="train"), masks.format(split="train"), ["1", "2", "3"])
    put(here, images.format(split="test"), masks.format(split="test"), ["1", "2"])
    assert main(["datasets", "add", str(here), "--name", "mine"]) == 0
    train, test = open_dataset("mine-train"), open_dataset("mine-test")
    assert (len(train.samples), len(test.samples)) == (3, 2)
    assert (
        train.card is not None
        and train.card.role == "train"
        and test.card is not None
        and test.card.role == "test"
    )


@pytest.mark.parametrize("table", ["metadata.jsonl", "metadata.csv"])
def test_hugging_face_folders(here: Path, table: str, capsys: pytest.CaptureFixture[str]) -> None:
    put(here / "train", "pics", "conditioning", ["1", "2", "3"])
    put(here / "train", "other", "more", ["1", "2", "3"])
    rows = [
        {"file_name": f"pics/{n}.jpg", "caption": "a.b", "mask_file_name": f"conditioning/{n}.png"}
        for n in "123"
    ]
    if table.endswith("csv"):
        content = "\n".join([",".join(rows[0]), *(",".join(row.values()) for row in rows)])
    else:
        content = "\n".join(json.dumps(row) for row in rows)
    (here / "train" / table).write_text(content, encoding="utf-8")
    assert main(["datasets", "add", str(here), "--name", "mine", "--json"]) == 0
    printed = capsys.readouterr()
    assert "train/pics/, masks in train/conditioning/" in printed.err and table in printed.err
    assert json.loads(printed.out)["added"][0]["pairs"] == 3


def test_hugging_face_tables_that_do_not_help(here: Path) -> None:
    put(here, "images", "masks", ["1", "2"])
    cases = {
        '{"file_name": "images/1.jpg"}': "one with the mask's file",
        '{"file_name": "images/1.jpg", "mask": "masks/2.png"}': "same stems",
        "{nonsense": "not readable",
        "[" * 100_000: r"metadata\.jsonl: not readable",
        "": "one row per image",
    }
    for content, message in cases.items():
        (here / "metadata.jsonl").write_text(content, encoding="utf-8")
        with pytest.raises(InputError, match=message):
            detect_sets(here)


def test_a_list_chooses_a_split(here: Path) -> None:
    put(here, "images", "masks", ["1", "2", "3"])
    listed = here.parent / "val.txt"
    listed.write_text("images/1.jpg masks/1.png\n# comment\n3\n", encoding="utf-8")
    assert main(["datasets", "add", str(here), "--name", "mine-val", "--list", str(listed)]) == 0
    dataset = open_dataset("mine-val")
    assert [sample.name for sample in dataset.samples] == ["1", "3"] and dataset.expected == 2
    listed.write_text("7\n")
    assert main(["datasets", "add", str(here), "--name", "other", "--list", str(listed)]) == 2
    assert not Path("datasets", "other.toml").exists()


def test_pictures_without_masks_are_left_out_and_counted(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    put(here, "images", "masks", ["1", "2", "3"])
    (here / "masks" / "2.png").unlink()
    assert main(["datasets", "add", str(here), "--name", "mine"]) == 0
    assert "1 image without a mask" in capsys.readouterr().err
    assert len(open_dataset("mine").samples) == 2


def test_given_folders_and_replacing(here: Path) -> None:
    put(here, "one", "two", ["1", "2"])
    put(here, "one", "three", ["1", "2"])
    base = ["datasets", "add", str(here), "--name", "mine"]
    assert (
        main([*base, "--images", "one", "--masks", "three", "--title", 'My "own"\x7fset', "--role", "train"])
        == 0
    )
    dataset = open_dataset("mine")
    assert dataset.title == 'My "own"\x7fset' and "three" in str(dataset.samples[0].mask)
    assert main([*base, "--images", "one", "--masks", "two"]) == 2
    assert main([*base, "--images", "one", "--masks", "two", "--replace"]) == 0
    assert "two" in str(open_dataset("mine").samples[0].mask)
    assert main([*base, "--images", "one"]) == 2
    assert main([*base, "--images", "one", "--masks", "none", "--replace"]) == 2


def test_folders_that_are_no_sets(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(InputError, match="no such folder"):
        detect_sets(here)
    here.mkdir()
    with pytest.raises(InputError, match="no images in it"):
        detect_sets(here)
    for name in "12":
        Image.fromarray(np.zeros((5, 5, 3), np.uint8)).save(here / f"{name}.png")
    with pytest.raises(InputError, match="no masks of the same names"):
        detect_sets(here)
    (here / "masks").mkdir()
    for name in "12":
        Image.fromarray(np.eye(5, dtype=np.uint8) * 255).save(here / "masks" / f"{name}.png")
    for name, message in (
        ("Bad Name", "expected lower-case letters"),
        ("ecssd", "ecssd.toml"),
        ("duts", "duts-te.toml"),
    ):
        assert main(["datasets", "add", str(here), "--name", name, "--images", ".", "--masks", "masks"]) == 2
        assert f"--name {name!r}" in (err := capsys.readouterr().err) or f"--name {name}:" in err
        assert message in err
    assert not Path("datasets").exists()


def test_splits_of_the_same_names_are_told_apart_by_their_place(here: Path) -> None:
    for part in ("test", "train"):
        put(here, f"{part}/images", f"{part}/masks", ["1", "2"])
    folders = {(one.images, one.masks) for one in detect_sets(here)}
    assert folders == {("test/images", "test/masks"), ("train/images", "train/masks")}


def test_two_folders_of_maps_are_no_set(here: Path) -> None:
    put(here, "images", "GT", ["1", "2", "3", "4"])
    for maps in ("maps/A", "maps/B"):
        put(here, "spare", maps, ["1", "2", "3", "4"])
    shutil.rmtree(here / "spare")
    Image.new("L", (75, 60), 120).save(here / "maps" / "A" / "4.png")  # less like a mask than those of B
    (detected,) = detect_sets(here)
    assert (detected.images, detected.masks) == ("images", "GT")


def test_cards_are_written_all_or_none(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for part in ("train", "test"):
        put(here, f"{part}/images", f"{part}/masks", ["1", "2"])
    add = ["datasets", "add", str(here), "--name", "mine"]
    listed = here / "list.txt"
    assert main([*add, "--list", str(listed)]) == 2
    assert "list.txt: not readable" in capsys.readouterr().err
    listed.write_bytes(b"caf\xe9\n")
    assert main([*add, "--list", str(listed)]) == 2
    assert "list.txt: not a text" in capsys.readouterr().err
    listed.write_text("")
    assert main([*add, "--list", str(listed)]) == 2
    assert not list(Path().glob("datasets/*"))
    assert main(add) == 0
    (here / "test" / "images" / "1.jpg").rename(here / "test" / "images" / "1.bmp")
    (here / "test" / "images" / "2.jpg").rename(here / "test" / "images" / "3.jpg")
    put(here, "test/images", "spare", ["1"])
    before = {path: path.read_bytes() for path in Path("datasets").iterdir()}
    assert main([*add, "--replace"]) == 2, "two files of one name"
    assert {path: path.read_bytes() for path in Path("datasets").iterdir()} == before


def test_a_folder_whose_name_is_not_utf8(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    strange = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9"))
    put(strange, "images", "masks", ["1"])
    with pytest.raises(InputError, match=r"caf\\xe9.*rename the folder"):
        write_cards(new_cards("mine", strange, detect_sets(strange)))
