"""The audit finds every planted fault, says nothing about a clean set, and finds the real sets' traps."""

import json
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sodbench.cli.main import main
from sodbench.data.auditing.audit import Audit
from sodbench.data.auditing.audit_dataset import PARTLY_INVERTED, audit_dataset
from sodbench.data.auditing.audit_maps import audit_maps
from sodbench.data.auditing.file_facts import RULES, mask_facts
from sodbench.data.auditing.fingerprint import Fingerprints, fingerprints, matches
from sodbench.data.auditing.manifest import changes, read_manifest, write_manifest
from sodbench.data.card import load_card
from sodbench.data.folder import open_dataset
from sodbench.data.synthetic import make_picture
from sodbench.errors import InputError

NAMES = [f"{number:04d}" for number in range(1, 9)]


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data root with a clean part of ECSSD: eight pictures of the sample."""
    monkeypatch.chdir(tmp_path)
    for folder in ("images", "ground_truth_mask"):
        (tmp_path / "ECSSD" / folder).mkdir(parents=True)
    for index, name in enumerate(NAMES):
        picture, mask = make_picture("train", index)
        Image.fromarray(picture).save(tmp_path / "ECSSD" / "images" / f"{name}.jpg", quality=95)
        Image.fromarray(mask).save(tmp_path / "ECSSD" / "ground_truth_mask" / f"{name}.png")
    return tmp_path


def audit(root: Path, name: str = "ecssd", **options: object) -> Audit:
    return audit_dataset(load_card(name), root, **options)  # type: ignore[arg-type]


def kinds(report: Audit, level: str = "problem") -> list[str]:
    return sorted(issue.kind for issue in report.issues if issue.level == level)


def text(report: Audit, kind: str) -> str:
    return "; ".join(issue.text for issue in report.issues if issue.kind == kind)


def test_a_clean_part_of_a_set(root: Path) -> None:
    report = audit(root)
    assert (report.images, report.masks, report.pairs, report.expected, report.problems) == (8, 8, 8, 1000, 0)
    assert kinds(report, "note") == ["part"]


def test_broken_files(root: Path) -> None:
    images, masks = root / "ECSSD" / "images", root / "ECSSD" / "ground_truth_mask"
    content = (images / "0001.jpg").read_bytes()
    (images / "0001.jpg").write_bytes(content[: len(content) // 2])
    (masks / "0002.png").write_bytes(b"")
    (masks / "0003.png").write_bytes(b"no picture")
    report = audit(root)
    assert kinds(report) == ["unreadable"] and "3 files" in text(report, "unreadable")
    (unreadable,) = (issue for issue in report.issues if issue.kind == "unreadable")
    assert all(name in " ".join(unreadable.files) for name in ("0001.jpg", "0002.png", "0003.png"))


def test_names_pairs_and_sizes(root: Path) -> None:
    images, masks = root / "ECSSD" / "images", root / "ECSSD" / "ground_truth_mask"
    (images / "0001.jpg").unlink()
    (masks / "0002.png").unlink()
    for folder, ending in ((images, "jpg"), (masks, "png")):
        (folder / f"0003.{ending}").rename(folder / f"cat.{ending}")
        (folder / f"0004.{ending}").rename(folder / f"Cat.{ending}")
    Image.fromarray(np.full((9, 9), 255, np.uint8)).save(masks / "0005.png")
    Image.fromarray(np.full((9, 9), 255, np.uint8)).save(masks / "0006.jpg")
    report = audit(root)
    assert kinds(report) == ["case", "case", "names", "same name", "size", "unpaired", "unpaired"]
    assert "2 names are not of this set: Cat, cat" in text(report, "names")
    assert "0005.png is 9 x 9" in text(report, "size")
    assert "1 images without a mask: 0002" in text(report, "unpaired")


def test_sizes_are_compared_where_masks_have_a_suffix(root: Path) -> None:
    mine = root / "mine"
    mine.mkdir()
    for name in ("1", "2"):
        Image.fromarray(np.full((20, 30, 3), 9, np.uint8)).save(mine / f"{name}.jpg")
        Image.fromarray(np.eye(20, 30 if name == "1" else 20, dtype=np.uint8) * 255).save(
            mine / f"{name}_mask.png"
        )
    assert main(["datasets", "add", str(mine), "--name", "mine"]) == 0
    report = audit(root, "mine")
    assert kinds(report) == ["size"] and "2_mask.png is 20 x 20, its image 30 x 20" in text(report, "size")


def test_links_and_names_that_cannot_be_read(root: Path) -> None:
    images = root / "ECSSD" / "images"
    (images / "loop.jpg").symlink_to(images / "loop.jpg")
    (images / "gone.jpg").symlink_to(images / "nowhere.jpg")
    expected = 2
    try:
        Path(os.fsdecode(os.fsencode(images) + b"/b\xff.jpg")).write_bytes(b"x")
        expected = 3
    except OSError:
        pass  # a file system that takes UTF-8 names only
    report = audit(root)
    assert kinds(report) == ["bad names"] and f"{expected} entries" in text(report, "bad names")
    json.dumps(report.as_dict(), ensure_ascii=False).encode("utf-8")


def test_masks_of_every_kind(root: Path) -> None:
    masks = root / "ECSSD" / "ground_truth_mask"

    def put(name: str, values: np.ndarray) -> None:
        shape = np.asarray(Image.open(masks / f"{name}.png")).shape
        Image.fromarray(np.resize(values, shape).astype(np.uint8)).save(masks / f"{name}.png")

    put("0001", np.array([0, 0, 128, 255]))
    put("0002", np.array([0, 30, 255]))
    put("0003", np.array([0, 1, 1]))
    put("0004", np.array([0]))
    put("0005", np.array([255]))
    Image.open(masks / "0006.png").convert("RGB").save(masks / "0006.png")
    Image.open(masks / "0007.png").save(masks / "0007.png", format="BMP")
    report = audit(root)
    assert report.problems == 0
    assert kinds(report, "note") == sorted(
        ["part", "exactly 128", "thresholds", "grey", "zero-one", "empty", "full", "modes", "renamed"]
    )
    for kind, name in (("exactly 128", "0001"), ("zero-one", "0003"), ("empty", "0004"), ("full", "0005")):
        assert text(report, kind).startswith("1 masks") and f"{name}.png" in text(report, kind)
    assert "0006.png (PNG RGB)" in text(report, "modes") and "0007.png is BMP" in text(report, "renamed")
    pixels = np.asarray(Image.open(masks / "0001.png"))
    assert report.facts["pixels that change side"]["> 128 to >= 128"].startswith(
        f"{(pixels == 128).sum()} in 1 masks"
    )


def test_animated_and_sixteen_bit_files(root: Path) -> None:
    images, masks = root / "ECSSD" / "images", root / "ECSSD" / "ground_truth_mask"
    frames = [Image.fromarray(np.full((5, 5), value, np.uint8)) for value in (1, 90)]
    (images / "0001.jpg").unlink()
    frames[0].save(images / "0001.png", save_all=True, append_images=frames[1:])
    mask = np.asarray(Image.open(masks / "0002.png")).astype(np.uint16) * 257
    Image.fromarray(mask).save(masks / "0002.png")
    report = audit(root)
    assert kinds(report) == ["unreadable"] and "2 frames" in text(report, "unreadable")
    assert "0002.png (PNG I;16)" in text(report, "modes")


def test_duplicates_and_near_duplicates(root: Path) -> None:
    images = root / "ECSSD" / "images"
    (images / "0002.jpg").write_bytes((images / "0001.jpg").read_bytes())
    with Image.open(images / "0003.jpg") as picture:
        smaller = picture.resize((picture.width * 2 // 3, picture.height * 2 // 3))
        bright = smaller.point(lambda value: min(255, int(value * 1.1) + 5))
        bright.save(images / "0004.jpg", quality=60)
    report = audit(root)
    assert "0001 = 0002" in text(report, "duplicates") and "1 byte-identical" in text(report, "duplicates")
    assert "0003 = 0004" in text(report, "near duplicates")


def test_leaks_between_training_and_test(root: Path) -> None:
    for folder in ("DUTS-TR-Image", "DUTS-TR-Mask"):
        (root / "DUTS-TR" / folder).mkdir(parents=True)
    ecssd = root / "ECSSD"
    pairs = (("0001", "n00000001_1", False), ("0002", "n00000001_2", True))
    for name, stem, anew in pairs:
        target = root / "DUTS-TR" / "DUTS-TR-Image" / f"{stem}.jpg"
        if anew:
            Image.open(ecssd / "images" / f"{name}.jpg").resize((256, 256)).save(target, quality=70)
        else:
            target.write_bytes((ecssd / "images" / f"{name}.jpg").read_bytes())
        mask = (ecssd / "ground_truth_mask" / f"{name}.png").read_bytes()
        (root / "DUTS-TR" / "DUTS-TR-Mask" / f"{stem}.png").write_bytes(mask)
    report = audit(root)
    assert kinds(report) == ["leak", "leak"]
    assert "0001 = duts-tr/n00000001_1" in text(report, "leak") and "0002 = duts-tr/n00000001_2" in text(
        report, "leak"
    )
    assert kinds(audit(root, against=())) == []
    assert kinds(audit(root, "duts-tr")).count("leak") == 2


def test_different_pictures_are_not_taken_for_the_same(shared_data: Path) -> None:
    dataset = open_dataset("pascal-s", shared_data)
    prints = fingerprints((sample.name, sample.image) for sample in dataset.samples if sample.image)
    assert len(prints.names) == 14 and matches(prints) == []
    assert [(match.same_bytes, match.likeness) for match in matches(prints, prints)] == [(True, 1.0)] * 14


@pytest.mark.parametrize(("bits", "likeness", "same"), [(12, 0.96, 1), (13, 0.99, 0), (0, 0.94, 0)])
def test_how_alike_the_same_picture_must_be(bits: int, likeness: float, same: int) -> None:
    thumbnails = np.zeros((2, 1024), np.float32)
    thumbnails[0, 0], thumbnails[1, :2] = 1, (likeness, np.sqrt(1 - likeness**2))
    hashes = np.array([0, 2**bits - 1], np.uint64)
    assert len(matches(Fingerprints(("a", "b"), ("1", "2"), hashes, thumbnails))) == same


@pytest.mark.parametrize(("level", "rules"), [(25, 0), (26, 1), (127, 1), (128, 2), (129, 3)])
def test_which_levels_the_three_rules_take(tmp_path: Path, level: int, rules: int) -> None:
    Image.fromarray(np.full((2, 2), level, np.uint8)).save(tmp_path / "a.png")
    facts = mask_facts(tmp_path / "a.png")
    assert sum(facts.object_pixels(rule) == 4 for rule in RULES) == rules


def test_plain_surfaces_are_like_nothing(tmp_path: Path) -> None:
    for value in (10, 200):
        Image.fromarray(np.full((50, 60), value, np.uint8)).save(tmp_path / f"{value}.png")
    prints = fingerprints((path.name, path) for path in sorted(tmp_path.iterdir()))
    assert matches(prints) == []


def test_a_manifest_pins_a_copy(root: Path) -> None:
    dataset = open_dataset("ecssd", root)
    assert changes(dataset) is None
    path = write_manifest(dataset)
    assert path == root / "datasets" / "ecssd.sha256" and len(read_manifest(path)) == 16
    assert not changes(dataset)
    checked = subprocess.run(
        ["sha256sum", "-c", "--quiet", str(path)], cwd=root / "ECSSD", capture_output=True
    )
    assert checked.returncode == 0, checked.stderr
    (root / "ECSSD" / "images" / "0001.jpg").write_bytes(
        (root / "ECSSD" / "images" / "0002.jpg").read_bytes()
    )
    for folder, ending in (("images", "jpg"), ("ground_truth_mask", "png")):
        (root / "ECSSD" / folder / f"0003.{ending}").rename(root / "ECSSD" / folder / f"0300.{ending}")
    difference = changes(open_dataset("ecssd", root))
    assert difference is not None and difference.changed == ("images/0001.jpg",)
    assert (
        difference.removed == ("ground_truth_mask/0003.png", "images/0003.jpg") and len(difference.added) == 2
    )
    assert "changed" in kinds(audit(root)) and "1 changed (images/0001.jpg)" in text(audit(root), "changed")
    path.write_text("nonsense\n")
    with pytest.raises(InputError, match=r"ecssd\.sha256:1"):
        changes(dataset)


def test_maps_are_audited(root: Path) -> None:
    dataset = open_dataset("ecssd", root)
    maps = root / "maps"
    maps.mkdir()
    shapes = {sample.name: np.asarray(Image.open(sample.mask)).shape for sample in dataset.samples}  # type: ignore[arg-type]
    ramp = {name: np.resize(np.arange(256, dtype=np.uint8), shape) for name, shape in shapes.items()}
    for name in NAMES[:2]:
        Image.fromarray(ramp[name]).save(maps / f"{name}.png")
    Image.fromarray(ramp["0003"] // 52).save(maps / "0003.png")
    Image.fromarray(ramp["0004"] * 0 + 7).save(maps / "0004.png")
    Image.fromarray(ramp["0005"][:20]).save(maps / "0005.png")
    Image.fromarray(ramp["0006"].astype(np.uint16) * 257).save(maps / "0006.png")
    Image.fromarray(ramp["0007"]).save(maps / "extra.png")
    report = audit_maps(dataset, maps)
    assert kinds(report) == ["missing", "size", "unreadable"] and kinds(report, "note") == [
        "constant",
        "faint",
        "further",
    ]
    assert "0003 peaks at 4/255" in text(report, "faint") and "0004 is 7 everywhere" in text(
        report, "constant"
    )
    assert "2 maps are missing: 0007, 0008" in text(report, "missing")


def test_an_absent_set_is_an_error_and_an_empty_folder_a_problem(root: Path) -> None:
    with pytest.raises(InputError, match="no folder SOD/"):
        audit(root, "sod")
    (root / "SOD").mkdir()
    assert "expected images/ with GT/" in text(audit(root, "sod"), "layout")


def test_exit_codes_and_json(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--data-root", str(root)]
    assert main(["datasets", "verify", "ecssd", *options]) == 0
    assert "8 of 1000 pairs; 0 problems" in capsys.readouterr().out
    assert main(["datasets", "verify", "ecssd", "--write", *options]) == 0
    (root / "ECSSD" / "images" / "0001.jpg").unlink()
    capsys.readouterr()
    assert main(["datasets", "verify", "--json", *options]) == 1
    audits = json.loads(capsys.readouterr().out)["audits"]
    ecssd = next(one for one in audits if one["name"] == "ecssd")
    assert {finding["kind"] for finding in ecssd["findings"]} >= {"unpaired", "changed"}
    assert main(["datasets", "verify", "nothing", *options]) == 2
    assert main(["datasets", "verify", "ecssd", "sod", "--maps", str(root), *options]) == 2


@pytest.mark.slow
def test_the_traps_of_the_real_sets(shared_data: Path) -> None:
    """The traps of the real data that docs/datasets.md lists are all noticed."""
    pascal = audit(shared_data, "pascal-s", against=())
    assert pascal.facts["mask grey levels"].startswith("13: 0, 21, 43")
    assert text(pascal, "exactly 128").startswith("14 masks")
    sod = audit(shared_data, "sod", against=())
    assert "2 masks are not PNG 1: 27059.png (PNG L), 374067.png (PNG L)" in text(sod, "modes")
    assert sod.problems == 0 and sod.pairs == sod.expected == 300
    ecssd = audit(shared_data, "ecssd", against=["sod"])
    assert "1 images are not JPEG RGB: 0557.jpg (JPEG L)" in text(ecssd, "modes")
    assert text(ecssd, "shared").startswith("15 images are nearly identical to ones of sod")
    te, tr = (
        audit(shared_data, "duts-te", against=["duts-tr"]),
        audit(shared_data, "duts-tr", against=["duts-te"]),
    )
    leak = "ILSVRC2013_test_00005864 = duts-tr/ILSVRC2014_train_00019441"
    assert (
        kinds(te, "known") == ["leak"] and leak in text(te, "leak") and "byte-identical" in text(te, "leak")
    )
    assert kinds(tr, "known") == ["leak"] and te.problems == tr.problems == 0
    assert "ILSVRC2012_test_00071812 = ILSVRC2012_test_00071858" in text(te, "duplicates")
    assert "n03782006_11777 = n04152593_35530" in text(tr, "duplicates")
    assert text(te, "modes").startswith("2 masks are not PNG L") and text(tr, "modes").startswith("3 masks")
    assert int(text(te, "grey").split()[0]) > 100 and text(te, "exactly 128")
    maps = audit_maps(open_dataset("sod", shared_data), shared_data / "SOD" / "maps" / "PiCANet")
    assert "peaks at 5/255" in text(maps, "faint") and maps.problems == 0


def test_inverted_masks(root: Path) -> None:
    masks = sorted((root / "ECSSD" / "ground_truth_mask").iterdir())
    for count, path in enumerate(masks, 1):
        Image.fromarray(255 - np.asarray(Image.open(path))).save(path)
        if count not in (1, 4, 5, 8):
            continue
        report = audit(root)
        levels = [issue.level for issue in report.issues if issue.kind == "inverted"]
        assert levels == ([] if count == 1 else ["problem" if count > 4 else "note"])
    assert "8 of 8 masks" in text(report, "inverted") and "0001.png" in text(report, "inverted")
    assert main(["datasets", "verify", "ecssd", "--data-root", str(root)]) == 1


@pytest.mark.parametrize("name", ["sod", "ecssd", "duts-te", "pascal-s"])
def test_the_masks_of_real_sets_are_not_taken_for_inverted(shared_data: Path, name: str) -> None:
    samples = open_dataset(name, shared_data).samples[::3]
    bordered = [mask_facts(sample.mask).border > 0.5 for sample in samples if sample.mask is not None]
    assert bordered and np.mean(bordered) < PARTLY_INVERTED


def test_masks_that_cannot_be_read_are_named_where_maps_are_audited(root: Path) -> None:
    masks = root / "ECSSD" / "ground_truth_mask"
    maps = root / "maps"
    maps.mkdir()
    for path in masks.iterdir():
        (maps / path.name).write_bytes(path.read_bytes())
    (masks / "0002.png").write_bytes(b"")
    report = audit_maps(open_dataset("ecssd", root), maps)
    assert kinds(report) == ["unreadable mask"] and "0002.png: an empty file" in text(
        report, "unreadable mask"
    )
