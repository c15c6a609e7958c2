"""Pairing on disk: layouts and re-packs, part of a set, unpaired and doubled files, maps."""

import errno
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sodbench.cli.main import main
from sodbench.data.auditing.status import datasets
from sodbench.data.folder import list_images, open_dataset, open_folders, pair_maps
from sodbench.data.image_files import folders_under
from sodbench.errors import InputError


def picture(path: Path, value: int = 100) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((4, 5), value, np.uint8)).save(path)
    return path


def make(
    root: Path, images: str, masks: str, names: list[str], suffixes: tuple[str, str] = (".jpg", ".png")
) -> None:
    for name in names:
        picture(root / images / f"{name}{suffixes[0]}")
        picture(root / masks / f"{name}{suffixes[1]}", 255)


@pytest.mark.parametrize(
    ("name", "folder", "images", "masks", "suffixes"),
    [
        ("ecssd", "ECSSD", "images", "ground_truth_mask", (".jpg", ".png")),
        ("ecssd", "ecssd", "Images", "Masks", (".JPG", ".PNG")),
        ("ecssd", "ECSSD", "images", "segmentations", (".jpeg", ".png")),
        ("ecssd", "ECSSD", "image", "mask", (".jpg", ".png")),
        ("ecssd", "ECSSD", "Imgs", "Imgs", (".jpg", ".png")),
        ("ecssd", "ECSSD", ".", ".", (".jpg", ".png")),
        ("duts-te", "DUTS-TE", "DUTS-TE-Image", "DUTS-TE-Mask", (".jpg", ".png")),
        ("duts-tr", "DUTS-TR", "DUTS-TR-Image", "DUTS-TR-Mask", (".jpg", ".png")),
        ("hku-is", "HKU-IS", "imgs", "gt", (".png", ".png")),
        ("hku-is", "HKU_IS", "Imgs", "gt", (".jpg", ".png")),
        ("pascal-s", "PASCAL-S", "datasets/imgs/pascal", "datasets/masks/pascal", (".jpg", ".png")),
        ("dut-omron", "DUT-OMRON", "DUT-OMRON-image", "pixelwiseGT-new-PNG", (".jpg", ".png")),
        ("sod", "SOD", "images", "GT", (".jpg", ".png")),
    ],
)
def test_official_layouts_and_repacks(
    tmp_path: Path, name: str, folder: str, images: str, masks: str, suffixes: tuple[str, str]
) -> None:
    make(tmp_path / folder, images, masks, ["0002", "0001"], suffixes)
    dataset = open_dataset(name, tmp_path)
    assert [sample.name for sample in dataset.samples] == ["0001", "0002"]
    assert dataset.expected > 2 and dataset.card is not None
    for sample in dataset.samples:
        assert sample.image is not None and sample.image.suffix == suffixes[0]
        assert sample.mask is not None and sample.mask.suffix == suffixes[1]


def test_the_data_root_comes_from_argument_or_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(tmp_path / "a" / "SOD", "images", "GT", ["1"])
    make(tmp_path / "b" / "SOD", "images", "GT", ["1", "2"])
    monkeypatch.setenv("SODBENCH_DATA", str(tmp_path / "a"))
    assert len(open_dataset("sod").samples) == 1
    assert len(open_dataset("sod", tmp_path / "b").samples) == 2
    monkeypatch.setenv("SODBENCH_DATA", str(tmp_path / "c"))
    with pytest.raises(InputError, match="SODBENCH_DATA"):
        open_dataset("sod")


def test_masks_alone_are_enough_to_score(tmp_path: Path) -> None:
    picture(tmp_path / "SOD" / "GT" / "1.png")
    with pytest.raises(InputError, match="known layout"):
        open_dataset("sod", tmp_path)
    dataset = open_dataset("sod", tmp_path, masks_only=True)
    assert [(sample.name, sample.image) for sample in dataset.samples] == [("1", None)]


def test_absent_empty_and_strange_folders(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no folder SOD/.*sodbench datasets fetch sod"):
        open_dataset("sod", tmp_path)
    with pytest.raises(InputError, match="no such data root"):
        open_dataset("sod", tmp_path / "none")
    (tmp_path / "SOD").mkdir()
    with pytest.raises(InputError, match="no images and masks in a known layout"):
        open_dataset("sod", tmp_path)
    (tmp_path / "SOD" / "images").mkdir()
    (tmp_path / "SOD" / "GT").mkdir()
    with pytest.raises(InputError, match=r"GT: no images for sod"):
        open_dataset("sod", tmp_path)
    picture(tmp_path / "SOD" / "GT" / "1.png")
    with pytest.raises(InputError, match=r"images: no images for sod"):
        open_dataset("sod", tmp_path)


def test_unpaired_files_are_counted_and_named(tmp_path: Path) -> None:
    make(tmp_path / "SOD", "images", "GT", [str(number) for number in range(20)])
    for number in range(12):
        (tmp_path / "SOD" / "GT" / f"{number}.png").unlink()
    picture(tmp_path / "SOD" / "GT" / "99.png")
    with pytest.raises(
        InputError, match=r"12 of .*images without a mask \(0, 1, 10.* and 2 more\), 1 of .*99"
    ):
        open_dataset("sod", tmp_path)


def test_other_files_are_passed_over(tmp_path: Path) -> None:
    make(tmp_path / "SOD", "images", "GT", ["1"])
    for name in (".DS_Store", "Thumbs.db", "._1.jpg", "readme.txt"):
        (tmp_path / "SOD" / "images" / name).write_bytes(b"x")
    (tmp_path / "SOD" / "images" / "inner.jpg").mkdir()
    assert len(open_dataset("sod", tmp_path).samples) == 1


def test_two_files_of_one_stem_are_refused(tmp_path: Path) -> None:
    make(tmp_path / "SOD", "images", "GT", ["1"])
    picture(tmp_path / "SOD" / "GT" / "1.jpg")
    with pytest.raises(InputError, match=r"1\.jpg and 1\.png"):
        open_dataset("sod", tmp_path)


def test_known_quirks_are_put_right_when_reading(tmp_path: Path) -> None:
    tr, te, omron = tmp_path / "DUTS-TR", tmp_path / "DUTS-TE", tmp_path / "DUT-OMRON"
    make(tr, "DUTS-TR-Image", "DUTS-TR-Mask", ["n01532829_13482", "n01532829_1"])
    picture(tr / "DUTS-TR-Mask" / "n01532829_13482.jpg")
    dataset = open_dataset("duts-tr", tmp_path)
    assert [sample.mask.suffix for sample in dataset.samples if sample.mask] == [".png", ".jpg"]
    make(te, "DUTS-TE-Image", "DUTS-TE-Mask", ["sun_bcogaqperiljqupq"])
    picture(te / "DUTS-TE-Mask" / "sun_bcogaqperiljqupq.jpg")
    assert [sample.mask.suffix for sample in open_dataset("duts-te", tmp_path).samples if sample.mask] == [
        ".png"
    ]
    make(omron, "DUT-OMRON-image", "pixelwiseGT-new-PNG", ["im001"])
    picture(omron / "DUT-OMRON-image" / "img_561715398.jpg")
    assert len(open_dataset("dut-omron", tmp_path).samples) == 1


def test_a_right_mask_alone_is_taken_whatever_its_name(tmp_path: Path) -> None:
    """A copy in which the three masks of DUTS-TR are already repaired has only the .png."""
    make(tmp_path / "DUTS-TR", "DUTS-TR-Image", "DUTS-TR-Mask", ["n01532829_13482"])
    assert len(open_dataset("duts-tr", tmp_path).samples) == 1


def test_the_test_split_of_hku_is(tmp_path: Path) -> None:
    make(tmp_path / "HKU-IS", "imgs", "gt", ["0004", "0005", "0006"], (".png", ".png"))
    assert len(open_dataset("hku-is", tmp_path).samples) == 3
    with pytest.raises(InputError, match=r"test\.lst"):
        open_dataset("hku-is-test", tmp_path)
    (tmp_path / "HKU-IS" / "test.lst").write_text("0004.png\n0006.jpg\n", encoding="utf-8")
    split = open_dataset("hku-is-test", tmp_path)
    assert [sample.name for sample in split.samples] == ["0004", "0006"] and split.expected == 1447
    make(tmp_path / "HKU-IS-TEST", "imgs", "gt", ["0009"], (".png", ".png"))
    assert [sample.name for sample in open_dataset("hku-is-test", tmp_path).samples] == ["0009"]


def test_names_that_are_not_utf8_and_broken_links(tmp_path: Path) -> None:
    good = picture(tmp_path / "a.png")
    strange = os.fsencode(tmp_path) + b"/b\xff.png"
    try:
        Path(os.fsdecode(strange)).write_bytes(good.read_bytes())
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")
    with pytest.raises(InputError, match="not UTF-8") as caught:
        list_images(tmp_path)
    str(caught.value).encode("utf-8")
    Path(os.fsdecode(strange)).unlink()
    for name, target in (("loop.png", "loop.png"), ("gone.png", "absent.png")):
        (tmp_path / name).symlink_to(tmp_path / target)
        with pytest.raises(InputError, match="broken link"):
            list_images(tmp_path)
        (tmp_path / name).unlink()
    with pytest.raises(InputError, match="no such folder"):
        list_images(tmp_path / "none")
    with pytest.raises(InputError, match="not a folder"):
        list_images(good)


def test_folders_of_ones_own(tmp_path: Path) -> None:
    make(tmp_path, "i", "m", ["1", "2"])
    dataset = open_folders("mine", tmp_path / "m", tmp_path / "i")
    assert (dataset.name, dataset.expected, dataset.card) == ("mine", 2, None)
    assert open_folders("mine", tmp_path / "m").samples[0].image is None
    (tmp_path / "i" / "2.jpg").unlink()
    with pytest.raises(InputError, match="do not pair"):
        open_folders("mine", tmp_path / "m", tmp_path / "i")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="no masks"):
        open_folders("mine", tmp_path / "empty")
    with pytest.raises(InputError, match="no images"):
        open_folders("mine", tmp_path / "m", tmp_path / "empty")


def test_maps_are_paired_or_named(tmp_path: Path) -> None:
    make(tmp_path, "i", "m", [f"{number:02d}" for number in range(15)])
    dataset = open_folders("mine", tmp_path / "m")
    maps = tmp_path / "maps"
    for number in (3, 4, 77):
        picture(maps / f"{number:02d}.png")
    with pytest.raises(InputError, match=r"13 of 15 maps of mine are missing: 00, 01, 02, 05.* and 3 more"):
        pair_maps(dataset, maps)
    pairing = pair_maps(dataset, maps, allow_missing=True)
    assert [sample.name for sample, _ in pairing.pairs] == ["03", "04"]
    assert len(pairing.missing) == 13 and pairing.missing[:4] == ("00", "01", "02", "05")
    with pytest.raises(InputError, match="none of its 1 maps"):
        picture(tmp_path / "other" / "x.png")
        pair_maps(dataset, tmp_path / "other", allow_missing=True)
    with pytest.raises(InputError, match=r"no saliency maps.*it holds the folders i, m, maps, other"):
        pair_maps(dataset, tmp_path)


def test_maps_without_a_picture_are_reported(tmp_path: Path) -> None:
    make(tmp_path, "i", "m", ["1", "2"])
    dataset = open_folders("mine", tmp_path / "m", tmp_path / "i")
    for name in ("1", "2", "x", "y"):
        picture(tmp_path / "maps" / f"{name}.png")
    pairing = pair_maps(dataset, tmp_path / "maps")
    assert [path.stem for _, path in pairing.pairs] == ["1", "2"]
    assert (pairing.missing, pairing.surplus) == ((), ("x", "y"))
    assert pairing.note() == "2 maps belong to no image of the data set and will not be scored: x, y"
    for name in ("x", "y"):
        (tmp_path / "maps" / f"{name}.png").unlink()
    assert pair_maps(dataset, tmp_path / "maps").note() == ""


@pytest.mark.parametrize(("command", "options"), [("score", ["--json"]), ("protocols compare", [])])
def test_the_commands_report_maps_without_a_picture(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    command: str,
    options: list[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    make(tmp_path, "i", "m", ["1", "2"])
    for name in ("1", "7", "8"):
        picture(tmp_path / "maps" / f"{name}.png")
    words = [*command.split(), "maps", "--masks", "m", "--metrics", "MAE", "--quiet", "--allow-missing"]
    assert main([*words, *options]) == 0
    printed = capsys.readouterr()
    assert "2 maps belong to no image of the data set and will not be scored: 7, 8" in printed.err
    assert "belong" not in printed.out
    (tmp_path / "maps" / "7.png").unlink()
    (tmp_path / "maps" / "8.png").unlink()
    assert main([*words, *options]) == 0
    assert "belong" not in capsys.readouterr().err


def test_an_ad_hoc_set_remembers_its_folders(tmp_path: Path) -> None:
    make(tmp_path, "i", "m", ["1"])
    dataset = open_folders("mine", tmp_path / "m", tmp_path / "i")
    assert (dataset.masks_folder, dataset.images_folder) == (tmp_path / "m", tmp_path / "i")
    assert open_folders("mine", tmp_path / "m").images_folder is None
    make(tmp_path / "SOD", "images", "GT", ["1"])
    assert open_dataset("sod", tmp_path).masks_folder is None


def test_samples_by_position_and_name(tmp_path: Path) -> None:
    make(tmp_path, "i", "m", ["a", "b", "c"])
    dataset = open_folders("mine", tmp_path / "m", tmp_path / "i")
    assert len(dataset) == 3 and [sample.name for sample in dataset] == ["a", "b", "c"]
    assert dataset[0] is dataset["a"] and dataset[-1] is dataset["c"]
    assert [sample.name for sample in dataset[1:]] == ["b", "c"]
    with pytest.raises(IndexError):
        dataset[3]
    with pytest.raises(InputError, match=r"mine: no sample is named 'aa'; did you mean a\?"):
        dataset["aa"]
    assert repr(dataset) == f"DataSet('mine', 3 of 3 samples, folder={str(tmp_path / 'm')!r})"


def test_samples_are_read_as_arrays(tmp_path: Path) -> None:
    make(tmp_path, "i", "m", ["a"])
    sample = open_folders("mine", tmp_path / "m", tmp_path / "i")["a"]
    assert sample.read_image().shape == (4, 5, 3) and sample.read_image().dtype == np.uint8
    assert sample.read_mask().shape == (4, 5) and (sample.read_mask() == 255).all()
    with pytest.raises(InputError, match="sample a: its data set was opened without images"):
        open_folders("mine", tmp_path / "m")["a"].read_image()


def test_the_digest_knows_names_and_masks(tmp_path: Path) -> None:
    make(tmp_path, "i", "m", ["1", "2"])
    before = open_folders("a", tmp_path / "m").digest()
    assert before == open_folders("b", tmp_path / "m", tmp_path / "i").digest()
    picture(tmp_path / "m" / "2.png", 254)
    changed = open_folders("a", tmp_path / "m").digest()
    (tmp_path / "m" / "2.png").rename(tmp_path / "m" / "3.png")
    assert len({before, changed, open_folders("a", tmp_path / "m").digest()}) == 3


@pytest.mark.parametrize(
    ("name", "here", "expected", "first", "last"),
    [
        ("sod", 300, 300, "100075", "97033"),
        ("ecssd", 201, 1000, "0005", "1000"),
        ("duts-te", 395, 5019, "ILSVRC2012_test_00000003", "sun_dxsxndyhqqijrxlw"),
        ("duts-tr", 77, 10553, "ILSVRC2012_test_00000004", ""),
        ("duts-tr-256", 5277, 10553, "ILSVRC2012_test_00000004", ""),
        ("pascal-s", 14, 850, "100", ""),
    ],
)
def test_the_real_sets(shared_data: Path, name: str, here: int, expected: int, first: str, last: str) -> None:
    dataset = open_dataset(name, shared_data)
    assert (len(dataset.samples), dataset.expected, dataset.samples[0].name) == (here, expected, first)
    names = [sample.name for sample in dataset.samples]
    assert names == sorted(names) and len(set(names)) == here
    if name in ("sod", "ecssd"):
        assert names[-1] == last


def test_the_real_maps(shared_data: Path) -> None:
    dataset = open_dataset("sod", shared_data, masks_only=True)
    for method in ("Amulet", "DSS", "PiCANet"):
        pairing = pair_maps(dataset, shared_data / "SOD" / "maps" / method)
        assert (len(pairing.pairs), pairing.missing, pairing.surplus) == (300, (), ())


def test_folders_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "ECSSD").mkdir()

    def locked(path: Path) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))

    monkeypatch.setattr(Path, "iterdir", locked)
    with pytest.raises(InputError, match=r": not readable \(Permission denied\)"):
        open_dataset("ecssd", tmp_path)


def test_names_with_line_breaks(tmp_path: Path) -> None:
    picture(tmp_path / "a\nb.png")
    with pytest.raises(InputError, match=r"'a\\nb.png' holds control characters; rename it"):
        list_images(tmp_path)


def test_links_do_not_run_in_rings(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "up").symlink_to(tmp_path)
    (tmp_path / "self").symlink_to("self")
    (tmp_path / ".hidden").mkdir()
    folders = [path.relative_to(tmp_path).as_posix() for path in folders_under(tmp_path, 9)]
    assert folders == [".", "a", "a/b"]


def test_paths_may_be_text(tmp_path: Path) -> None:
    make(tmp_path, "ECSSD/images", "ECSSD/ground_truth_mask", ["0001", "0002"])
    dataset = open_dataset("ecssd", str(tmp_path))
    assert (len(dataset), dataset.data_root) == (2, tmp_path)
    assert datasets(str(tmp_path)).set_index("name").loc["ecssd", "present"] == 2
    masks, images = (str(tmp_path / "ECSSD" / name) for name in ("ground_truth_mask", "images"))
    assert len(open_folders("mine", masks, images)) == 2
