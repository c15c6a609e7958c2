"""Training samples: seeded by (seed, epoch, sample), shared out exactly, aligned with their masks."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from scipy.ndimage import binary_erosion

from sodbench.data.folder import Sample, open_dataset
from sodbench.data.preprocessing import InputSpec, prepare
from sodbench.errors import InputError
from sodbench.training.augmentation import Augmentation, augment
from sodbench.training.cache import open_cache
from sodbench.training.samples import Stream, TrainingSet, collate, normalise

ALL = Augmentation(crop=(32, 24), flip=True, scale_jitter=(0.5, 2.0, 0.25), colour_jitter=(0.2, 0.2, 0.2))


def test_a_sample_depends_on_seed_epoch_and_index_alone(pairs_root: Path) -> None:
    samples = open_dataset("ecssd", pairs_root).samples
    one, two = TrainingSet(samples, ALL, seed=3), TrainingSet(samples, ALL, seed=3)
    first = one[(2, 5)]
    _ = [two[(e, i)] for e in range(2) for i in range(10)]  # whatever was read before
    again = two[(2, 5)]
    assert np.array_equal(first.image, again.image)
    assert np.array_equal(first.mask, again.mask)
    assert not np.array_equal(first.image, one[(3, 5)].image)
    assert not np.array_equal(first.image, TrainingSet(samples, ALL, seed=4)[(2, 5)].image)


@settings(max_examples=60, deadline=None)
@given(
    size=st.integers(1, 30),
    share=st.integers(1, 4),
    accumulate=st.integers(1, 3),
    world=st.integers(1, 3),
    start=st.integers(0, 5),
)
def test_the_stream_is_the_same_whoever_shares_it(
    size: int, share: int, accumulate: int, world: int, start: int
) -> None:
    batch, stop = share * accumulate * world, start + 6
    alone = [key for keys in Stream(size, batch, 1, start=0, stop=stop) for key in keys]
    shared = [
        list(Stream(size, batch, 1, start=start, stop=stop, accumulate=accumulate, rank=rank, world=world))
        for rank in range(world)
    ]
    together = []
    for part in range((stop - start) * accumulate):
        for rank in range(world):
            together += shared[rank][part]
    assert together == alone[start * batch :]
    assert all(len(keys) == share for keys in shared[0])
    # every epoch has every sample once
    for epoch in range(len(alone) // size):
        indices = [index for e, index in alone if e == epoch]
        assert sorted(indices) == list(range(size))


def test_a_batch_that_cannot_be_shared_is_refused() -> None:
    with pytest.raises(InputError, match="multiple"):
        Stream(10, 8, 0, start=0, stop=1, accumulate=1, world=3)


@settings(max_examples=60, deadline=None)
@given(
    height=st.integers(4, 60),
    width=st.integers(4, 60),
    crop=st.tuples(st.integers(2, 70), st.integers(2, 70)),
    jitter=st.sampled_from([None, (0.5, 2.0, 0.25), (0.5, 1.5, 0.0)]),
    aspect=st.floats(1, 2),
    rotation=st.sampled_from([0.0, 10.0, 180.0]),
    seed=st.integers(0, 99),
)
def test_image_and_mask_move_together(
    height: int,
    width: int,
    crop: tuple[int, int],
    jitter: tuple[float, float, float] | None,
    aspect: float,
    rotation: float,
    seed: int,
) -> None:
    how = Augmentation(crop=crop, flip=True, scale_jitter=jitter, aspect_jitter=aspect, rotation=rotation)
    seen, mask, inside = augmented_blocks(height, width, how, seed)
    assert seen.shape == (*crop, 3)
    assert mask.shape == crop
    assert set(np.unique(mask)) <= {0, 255}
    assert (seen[inside] >= 250).all()
    assert (seen[away_from_edges(mask == 0)] <= 124).all()


def test_objects_are_left_after_augmentation() -> None:
    how = Augmentation(crop=(48, 48), flip=True, scale_jitter=(0.8, 1.6, 0.0), rotation=10)
    assert sum(augmented_blocks(60, 60, how, seed)[2].any() for seed in range(20)) > 15


def augmented_blocks(
    height: int, width: int, how: Augmentation, seed: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """An augmented image that shows its mask, which has up to four large blocks; and where these are."""
    blocks = np.random.default_rng(seed).integers(0, 2, (2, 2))
    mask = np.kron(blocks, np.ones((30, 30)))[:height, :width].astype(np.uint8) * 255
    seen, moved = augment(np.repeat(mask[:, :, None], 3, 2), mask, how, np.random.default_rng(seed))
    return seen, moved, away_from_edges(moved == 255)


def away_from_edges(region: np.ndarray) -> np.ndarray:
    """Where bilinear (the image) and nearest (the mask) interpolation agree: 3 pixels from any edge."""
    return binary_erosion(region, np.ones((7, 7)))


def test_aspect_jitter_stretches_evenly_about_the_scale() -> None:
    # a square of half the image's side; its crop shows how far each direction was scaled
    mask = np.zeros((80, 80), np.uint8)
    mask[20:60, 20:60] = 255
    image = np.zeros((80, 80, 3), np.uint8)
    how = Augmentation(crop=(120, 120), scale_jitter=(1.0, 1.0, 0.0), aspect_jitter=1.5)
    ratios = []
    for seed in range(200):
        shape = augment(image, mask, how, np.random.default_rng(seed))[1] == 255
        height, width = shape.any(1).sum(), shape.any(0).sum()
        assert abs(height * width - 1600) < 100
        ratios.append(width / height)
    assert 0.64 < min(ratios) < 0.72
    assert 1.4 < max(ratios) < 1.57
    assert abs(np.log(ratios).mean()) < 0.05


def test_rotation_turns_both_ways_by_no_more_than_asked() -> None:
    # a horizontal bar: its slope is the angle
    mask = np.zeros((101, 101), np.uint8)
    mask[48:53, 10:91] = 255
    image = np.zeros((101, 101, 3), np.uint8)
    how = Augmentation(rotation=20)
    angles = []
    for seed in range(100):
        seen, shape = augment(image, mask, how, np.random.default_rng(seed))
        y, x = np.nonzero(shape)
        angles.append(np.degrees(np.arctan(np.polyfit(x, y, 1)[0])))
        assert tuple(seen[0, 0]) in {(0, 0, 0), (124, 116, 104)}  # the corner is of the mean colour
    assert -21 < min(angles) < -17
    assert 17 < max(angles) < 21


def test_what_is_switched_off_draws_nothing() -> None:
    image = np.random.default_rng(0).integers(0, 256, (40, 40, 3), np.uint8)
    how = Augmentation(crop=(32, 24), scale_jitter=(0.9, 1.5, 0.0))
    used, counted = np.random.default_rng(5), np.random.default_rng(5)
    augment(image, image[:, :, 0], how, used)
    _ = [counted.uniform() for _ in ("scale", "top", "left")]
    assert used.bit_generator.state == counted.bit_generator.state


def test_without_augmentation_training_sees_what_prediction_sees(pairs_root: Path) -> None:
    sample = open_dataset("ecssd", pairs_root).samples[0]
    assert sample.image is not None
    item = TrainingSet([sample], Augmentation(resize=(32, 32)), 0)[(0, 0)]
    spec = InputSpec(32, 32)
    trained = normalise(collate([item]).images, spec)[0].numpy()
    predicted = prepare(np.asarray(Image.open(sample.image).convert("RGB")), spec)
    # training rounds the resized image, and with it the maximum, to 8 bits
    levels = np.abs(trained - predicted).max() * 0.229 * 255
    assert levels < 1.3


def test_colour_jitter_changes_colours_but_not_by_more_than_asked() -> None:
    image = np.full((8, 8, 3), (100, 150, 50), np.uint8)
    mask = np.zeros((8, 8), np.uint8)
    how = Augmentation(resize=(8, 8), colour_jitter=(0.2, 0.0, 0.0))
    seen = {tuple(augment(image, mask, how, np.random.default_rng(s))[0][0, 0].tolist()) for s in range(30)}
    assert len(seen) > 10
    for colour in seen:
        assert all(0.8 * c - 1 <= v <= 1.2 * c + 1 for c, v in zip((100, 150, 50), colour, strict=True))


def test_the_cache_gives_the_same_samples(
    pairs_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SODBENCH_CACHE", str(tmp_path / "cache"))
    samples = open_dataset("ecssd", pairs_root).samples
    for how in (ALL, Augmentation(resize=(36, 36), crop=(32, 32), flip=True)):
        plain = TrainingSet(samples, how, 1)
        cached = TrainingSet(samples, how, 1, open_cache(samples, how.resize))
        for key in ((0, 0), (1, 7)):
            assert np.array_equal(plain[key].image, cached[key].image)
            assert np.array_equal(plain[key].mask, cached[key].mask)
    assert not [p for p in (tmp_path / "cache" / "training").iterdir() if p.name.startswith(".")]


def test_a_cache_that_cannot_be_written_names_the_remedy(
    pairs_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("x")
    monkeypatch.setenv("SODBENCH_CACHE", str(tmp_path / "file"))
    with pytest.raises(InputError, match=r"file.*Not a directory.*set SODBENCH_CACHE to another folder"):
        open_cache(open_dataset("ecssd", pairs_root).samples, None)


def test_unreadable_samples_are_replaced_and_named(pairs_root: Path) -> None:
    samples = list(open_dataset("ecssd", pairs_root).samples)
    broken, wrong = samples[3], samples[4]
    assert broken.image is not None
    assert wrong.mask is not None
    broken.image.write_bytes(broken.image.read_bytes()[:200])
    Image.new("L", (7, 9)).save(wrong.mask)
    item = TrainingSet(samples, Augmentation(resize=(32, 32)), 0)[(0, 3)]
    assert item.name == samples[5].name
    assert str(broken.image) in item.bad
    assert f"{wrong.mask}: the mask is 7 x 9 and its image 48 x 40" in item.bad
    with pytest.raises(InputError, match="no training sample can be read"):
        TrainingSet([Sample("a", broken.image, broken.mask)], ALL, 0)[(0, 0)]
    with pytest.raises(InputError, match="has no samples"):
        TrainingSet([], ALL, 0)
