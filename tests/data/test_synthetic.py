"""The embedded sample: the same everywhere, made whole, and not solved by a threshold."""

import hashlib
import os
import subprocess
import sys
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sodbench.data.folder import open_dataset
from sodbench.data.images import read_image, read_mask
from sodbench.data.synthetic import COUNTS, make_picture, write_sample
from sodbench.data.synthetic.files import png_bytes
from sodbench.data.synthetic.numbers import RandomStream, cosine, exact_mean, sine
from sodbench.data.synthetic.outlines import canvas, coverage, ellipse, filled
from sodbench.errors import InputError

DIGEST = "bfba06fe5acab9b0e89643f0e3be4db317fe2f26bdbf57b7029da56305aacccc"
STREAM = (12368030237656201616, 2047858591075935483, 9435677134316251571)


def digest_of(split: str, count: int) -> str:
    digest = hashlib.sha256()
    for index in range(count):
        for pixels in make_picture(split, index):
            digest.update(png_bytes(pixels))
    return digest.hexdigest()


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[np.ndarray, np.ndarray]]:
    return [make_picture("test", index) for index in range(COUNTS["test"])]


def test_the_files_are_known_to_the_byte(sample: list[tuple[np.ndarray, np.ndarray]]) -> None:
    digest = hashlib.sha256()
    for pair in sample:
        for pixels in pair:
            digest.update(png_bytes(pixels))
    assert digest.hexdigest() == DIGEST


def test_the_random_bits_are_those_that_numpy_guarantees() -> None:
    bits = np.random.PCG64(np.random.SeedSequence([1, 2, 3]))
    assert tuple(int(bits.random_raw()) for _ in range(3)) == STREAM


def test_the_vector_unit_changes_nothing() -> None:
    """The same bytes with AVX2, FMA and AVX-512 switched off."""
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]);"
        "from test_synthetic import digest_of; print(digest_of('train', 6))"
    )
    environment = dict(os.environ, NPY_DISABLE_CPU_FEATURES="AVX2 FMA3 AVX512F AVX512CD AVX512_SKX")
    result = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code, str(Path(__file__).parent)],
        env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert result.stdout.strip() == digest_of("train", 6)


def test_pictures_do_not_depend_on_each_other() -> None:
    once = make_picture("train", 17)
    make_picture("train", 3)
    again = make_picture("train", 17)
    assert all(np.array_equal(a, b) for a, b in zip(once, again, strict=True))
    assert not np.array_equal(make_picture("test", 17)[1], once[1])


def test_sizes_and_masks(sample: list[tuple[np.ndarray, np.ndarray]]) -> None:
    shares = []
    for picture, mask in sample:
        assert picture.dtype == mask.dtype == np.uint8 and picture.shape == (*mask.shape, 3)
        assert 120 <= min(mask.shape) <= 150 and 160 <= max(mask.shape) <= 200
        assert set(np.unique(mask)) == {0, 255}
        shares.append((mask > 0).mean())
    assert min(shares) > 0.02 and max(shares) < 0.8 and 0.1 < np.mean(shares) < 0.35


def test_all_pictures_are_different(sample: list[tuple[np.ndarray, np.ndarray]]) -> None:
    assert len({picture.tobytes() for picture, _ in sample}) == len(sample)


def scaled(values: np.ndarray) -> np.ndarray:
    low, high = values.min(), values.max()
    return np.round(255 * (values - low) / max(high - low, 1e-9)).astype(np.uint8)


def scores(maps: list[np.ndarray], masks: list[np.ndarray]) -> tuple[float, float]:
    """Max of the mean F-measure curve, and MAE."""
    curves, errors = [], []
    for values, mask in zip(maps, masks, strict=True):
        inside = mask > 128
        hit = np.bincount(values[inside], minlength=256)[::-1].cumsum()
        marked = np.bincount(values.ravel(), minlength=256)[::-1].cumsum()
        precision, recall = hit / np.maximum(marked, 1), hit / inside.sum()
        curves.append(1.3 * precision * recall / np.maximum(0.3 * precision + recall, 1e-9))
        errors.append(np.abs(values / 255 - inside).mean())
    return float(np.mean(curves, axis=0).max()), float(np.mean(errors))


def test_simple_rules_score_badly(sample: list[tuple[np.ndarray, np.ndarray]]) -> None:
    masks = [mask for _, mask in sample]
    light = [scaled(picture @ np.array([0.299, 0.587, 0.114])) for picture, _ in sample]
    far = [scaled(np.linalg.norm(picture - picture.mean(axis=(0, 1)), axis=2)) for picture, _ in sample]
    colour = [scaled(np.ptp(picture, axis=2).astype(float)) for picture, _ in sample]
    limits = {"brightness": 0.45, "darkness": 0.45, "distance from the mean colour": 0.6, "saturation": 0.4}
    maps = dict(zip(limits, (light, [255 - values for values in light], far, colour), strict=True))
    for rule, limit in limits.items():
        best, error = scores(maps[rule], masks)
        assert best < limit and error > 0.25, f"{rule}: max F {best:.3f}, MAE {error:.3f}"
    assert scores(masks, masks) == (pytest.approx(1.0), 0.0)  # the yardstick itself


def test_it_is_made_on_first_use_and_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SODBENCH_CACHE", str(tmp_path))
    dataset = open_dataset("sample")
    assert len(dataset.samples) == dataset.expected == 60
    picture, mask = make_picture("test", 0)
    first = dataset.samples[0]
    assert first.image is not None and first.mask is not None
    assert np.array_equal(read_image(first.image), picture) and np.array_equal(read_mask(first.mask), mask)
    times = first.image.stat().st_mtime_ns
    assert open_dataset("sample-test").samples[0].image.stat().st_mtime_ns == times  # type: ignore[union-attr]
    assert [entry.name for entry in dataset.folder.parent.iterdir()] == ["test"]


def test_two_at_once_and_a_failure_leave_nothing_half_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sodbench.data.synthetic import files as module

    monkeypatch.setenv("SODBENCH_CACHE", str(tmp_path))
    monkeypatch.setitem(module.COUNTS, "test", 3)
    with ThreadPoolExecutor(3) as pool:
        made = list(pool.map(lambda _: module.sample_folder("test"), range(3)))
    assert len(set(made)) == 1
    assert [entry.name for entry in made[0].parent.iterdir()] == ["test"]
    assert len(list((made[0] / "masks").iterdir())) == 3
    monkeypatch.setattr(module, "make_picture", lambda split, index: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        module.sample_folder("train")
    assert [entry.name for entry in made[0].parent.iterdir()] == ["test"]


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write everywhere")
def test_a_cache_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tmp_path.chmod(0o500)
    monkeypatch.setenv("SODBENCH_CACHE", str(tmp_path / "cache"))
    with pytest.raises(InputError, match="SODBENCH_CACHE"):
        open_dataset("sample")


def test_a_cache_that_is_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "cache").write_text("x")
    monkeypatch.setenv("SODBENCH_CACHE", str(tmp_path / "cache"))
    with pytest.raises(InputError, match="SODBENCH_CACHE"):
        open_dataset("sample")


def test_write_sample_writes_a_part(tmp_path: Path) -> None:
    write_sample(tmp_path, "train", count=2)
    assert sorted(path.name for path in (tmp_path / "images").iterdir()) == [
        "train_0000.png",
        "train_0001.png",
    ]


def test_the_stored_png_is_a_proper_one(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (150, 200, 3), dtype=np.uint8)
    bits = np.where(pixels[:, :197, 0] > 99, np.uint8(255), np.uint8(0))
    for values, name in ((pixels, "a.png"), (bits, "b.png")):
        (tmp_path / name).write_bytes(png_bytes(values))
        with Image.open(tmp_path / name) as picture:
            picture.verify()
    assert np.array_equal(read_image(tmp_path / "a.png"), pixels)
    assert np.array_equal(read_mask(tmp_path / "b.png"), bits)
    content = png_bytes(pixels)
    start = content.index(b"IDAT")
    size = int.from_bytes(content[start - 4 : start], "big")
    assert len(zlib.decompress(content[start + 4 : start + 4 + size])) == 150 * 601


def test_exact_functions() -> None:
    turns = np.linspace(-3, 3, 4001)
    assert np.abs(cosine(turns) - np.cos(2 * np.pi * turns)).max() < 1e-8
    assert np.abs(sine(turns) - np.sin(2 * np.pi * turns)).max() < 1e-8
    values = RandomStream(1).bells(200_000)
    assert abs(values.mean()) < 0.01 and abs(values.std() - 1) < 0.01
    assert exact_mean(np.arange(10.0)) == 4.5
    stream = RandomStream(5)
    assert {stream.whole(2, 4) for _ in range(200)} == {2, 3, 4}


def test_a_filled_ellipse_has_its_area() -> None:
    inside = canvas(60, 80)
    area = filled(ellipse(40.0, 30.0, 30.0, 20.0), 60, 80)
    inside[area.rows, area.columns] = area.inside
    share = coverage(inside)
    assert abs(share.sum() - np.pi * 600) < 10
    assert share[30, 40] == 1.0 and share[0, 0] == 0.0
    outside = filled(ellipse(-100.0, 30.0, 30.0, 20.0), 60, 80)
    assert not outside.inside.any()
