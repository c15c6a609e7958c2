"""From files to score tables: order, workers, several protocols, and what is refused."""

import warnings
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from sodbench.errors import InputError, Note
from sodbench.metrics import Scorer
from sodbench.metrics.mask import MaskCache
from sodbench.scoring import score_files


def picture(seed: int, shape: tuple[int, int] = (45, 70)) -> tuple[NDArray, NDArray]:
    random = np.random.default_rng(seed)
    y, x = np.mgrid[: shape[0], : shape[1]]
    field = np.sin(x / random.uniform(6, 20)) + np.cos(y / random.uniform(5, 9))
    noisy = field + random.normal(0, 0.3, shape)
    return np.clip(120 + 90 * noisy, 0, 255).astype(np.uint8), (field > 0.6) * np.uint8(255)


@pytest.fixture
def pairs(tmp_path: Path) -> list[tuple[str, Path, Path]]:
    found = []
    for index in range(23):
        prediction, mask = picture(index, (40 + index, 70))
        paths = tmp_path / "maps" / f"{index:02}.png", tmp_path / "masks" / f"{index:02}.png"
        for path, values in zip(paths, (prediction, mask), strict=True):
            path.parent.mkdir(exist_ok=True)
            Image.fromarray(values).save(path)
        found.append((f"{index:02}", *paths))
    return found


def test_equals_the_scorer_whatever_the_workers(pairs: list) -> None:
    scorer = Scorer(keep_curves=True)
    for index, (name, _, _) in enumerate(pairs):
        scorer.update(*picture(index, (40 + index, 70)), name=name)
    expected = scorer.result()
    for workers in (1, 3):
        found = score_files(pairs, workers=workers)["pysodmetrics"]
        assert list(found.per_image.index) == [name for name, _, _ in pairs]
        assert found.scores == expected.scores
        assert found.per_image.equals(expected.per_image)
        assert found.curves.equals(expected.curves)
        assert found.image_curves is not None and expected.image_curves is not None
        for name, curve in expected.image_curves.items():
            assert np.array_equal(found.image_curves[name], curve)
        assert found.image_facts.equals(expected.image_facts)


def test_protocols_together_equal_protocols_alone(pairs: list) -> None:
    """Two of them split masks elsewhere, so that the work is shared by some and not by others."""
    for path in {mask for _, _, mask in pairs[::2]}:
        values = np.array(Image.open(path))
        values[:3] = 100
        Image.fromarray(values).save(path)
    names = ["sal-eval", "pysodmetrics", "raw", "basnet2019", "sal-eval", "salod"][:4]
    together = score_files(pairs, names)
    for name in names:
        assert together[name].scores == score_files(pairs, [name], masks=MaskCache())[name].scores
    assert together["sal-eval"].scores["MAE"] != together["raw"].scores["MAE"]


def test_image_facts(pairs: list) -> None:
    facts = score_files(pairs[:2])["pysodmetrics"].image_facts
    assert facts.loc["01", "height"] == 41
    assert facts.loc["01", "width"] == 70
    assert facts.loc["01", "object_share"] == pytest.approx((picture(1, (41, 70))[1] > 0).mean())


def test_maps_of_another_size_are_one_sentence(pairs: list) -> None:
    """How many, up to three examples, and the protocols that would resample them."""
    for _, path, _ in pairs[:12]:
        Image.fromarray(np.zeros((5, 6), np.uint8)).save(path)
    with pytest.raises(InputError) as caught:
        score_files(pairs)
    message = str(caught.value)
    assert message.startswith("12 of 23 images cannot be scored: 12 maps differ in size from their masks")
    assert "00: map is 5 x 6, mask is 40 x 70, 01: map is 5 x 6, mask is 41 x 70, 02: " in message
    assert "... and 9 more" in message and "03: " not in message
    assert message.count("protocol pysodmetrics compares equal sizes only") == 1
    assert "sal-eval, sodsurvey, salod, cod-toolbox" in message
    assert score_files(pairs, ["sal-eval"])["sal-eval"].n == 23


def test_other_files_that_cannot_be_scored_are_listed(pairs: list) -> None:
    for _, path, _ in pairs[:2]:
        Image.fromarray(np.zeros((5, 6), np.uint8)).save(path)
    for _, path, _ in pairs[2:5]:
        Image.fromarray(np.zeros((9, 9), np.uint16)).save(path)
    with pytest.raises(InputError, match=r"5 of 23 images.*: 2 maps differ in size.*; .*02\.png: .*04\.png"):
        score_files(pairs)


def test_one_map_of_another_size_names_the_protocols_that_resample(pairs: list) -> None:
    Image.fromarray(np.zeros((5, 6), np.uint8)).save(pairs[3][1])
    with pytest.raises(InputError, match=r"^03: map is 5 x 6, .*resamples maps \(sal-eval, sodsurvey"):
        score_files(pairs)


def test_a_metric_under_one_of_the_protocols(pairs: list) -> None:
    """`MAE@raw` is scored under raw, a plain name under every protocol."""
    tables = score_files(pairs[:3], ["pysodmetrics", "raw"], ["S", "MAE@raw"])
    assert list(tables["pysodmetrics"].scores) == ["S"]
    assert list(tables["raw"].scores) == ["MAE", "S"]
    assert score_files(pairs[:3], ["raw"], ["MAE@raw"])["raw"].scores == {"MAE": tables["raw"].scores["MAE"]}
    assert [family.name for family in Scorer("raw", ["maxF@raw", "MAE"]).families] == ["MAE", "F"]


@pytest.mark.parametrize(
    ("protocols", "metrics", "message"),
    [
        (["pysodmetrics"], ["MAE@raw"], "MAE@raw: that protocol is not selected \\(only pysodmetrics"),
        (["pysodmetrics", "raw"], ["MAE@raw"], "protocol 'pysodmetrics' has no metric: all chosen"),
        (["raw"], ["MEA@raw"], "unknown metric 'MEA'"),
        (["basnet2019"], ["E@basnet2019"], "'basnet2019' does not define E"),
    ],
)
def test_metrics_of_protocols_that_are_not_asked_for(
    pairs: list, protocols: list[str], metrics: list[str], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        score_files(pairs, protocols, metrics)


def test_two_protocols_of_one_name_are_refused(pairs: list, tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text('based_on = "raw"\nlevels = 255\n')
    (tmp_path / "other.toml").write_text('name = "mine"\nbased_on = "raw"\n')
    with pytest.raises(InputError, match="two different protocols are named mine"):
        score_files(pairs, [tmp_path / "mine.toml", tmp_path / "other.toml"])
    assert list(score_files(pairs[:2], ["raw", "raw"])) == ["raw"]


def test_nothing_to_score() -> None:
    with pytest.raises(InputError, match="nothing to score"):
        score_files([])
    with pytest.raises(InputError, match="nothing to score"):
        Scorer().result()


def test_sizes_that_differ_are_resampled_where_the_protocol_says_so() -> None:
    prediction, mask = picture(3)
    small = np.array(Image.fromarray(prediction).resize((35, 23), Image.Resampling.BICUBIC))
    again = np.array(Image.fromarray(small).resize((70, 45), Image.Resampling.BICUBIC))
    for name in ("sal-eval", "salod", "cod-toolbox", "sodsurvey"):
        resampled = Scorer(name).measure(small, mask, "x").columns
        expected = Scorer(name).measure(again, mask, "x").columns
        assert resampled["MAE"] == pytest.approx(expected["MAE"], abs=2e-3)
        assert resampled["S"] == pytest.approx(expected["S"], abs=2e-3)
    for name in ("pysodmetrics", "basnet2019", "raw"):
        with pytest.raises(InputError, match="map is 23 x 35, mask is 45 x 70"):
            Scorer(name).update(small, mask, name="x")


def test_names() -> None:
    scorer = Scorer(metrics=["MAE"])
    prediction, mask = picture(1)
    scorer.update(prediction, mask)
    scorer.update(prediction, mask)
    scorer.update(prediction, mask, name="x")
    with pytest.raises(InputError, match="x: name given twice"):
        scorer.update(prediction, mask, name="x")
    assert list(scorer.result().per_image.index) == ["0", "1", "x"]
    assert scorer.result().n == 3


MAP, MASK = picture(0)
BAD = {
    "colour map": (np.stack([MAP] * 3, 2), MASK, "colour or stacked map"),
    "16-bit map": (MAP.astype(np.uint16), MASK, "map of type uint16"),
    "int64 map": (MAP.astype(np.int64), MASK, "map of type int64"),
    "NaN": (np.where(MAP > 100, np.nan, 0.5), MASK, "NaN or infinite"),
    "above 1": (MAP.astype(float), MASK, r"values in .*expected 0\.\.1"),
    "no pixels": (MAP[:, :0], MASK, "no pixels"),
    "vector": (MAP[0], MASK, "1-dimensional map"),
    "sizes": (MAP[:-2], MASK, "map is 43 x 70, mask is 45 x 70"),
    "mask of 0 and 1": (MAP, MASK // 255, "values 0 and 1 only"),
    "colour mask": (MAP, np.stack([MASK] * 3, 2), "colour or stacked mask"),
    "float mask": (MAP, MASK / 255, "mask of type float64"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_names_the_item_and_adds_nothing(case: str) -> None:
    prediction, mask, message = BAD[case]
    scorer = Scorer()
    with pytest.raises(InputError, match=f"picture 7: .*{message}"):
        scorer.update(prediction, mask, name="picture 7")
    with pytest.raises(InputError, match="nothing to score"):
        scorer.result()


def test_kinds_of_maps_and_masks_agree() -> None:
    """Read-only, strided, bool and floating-point input scores as the plain arrays do."""
    binary = (MAP > 127) * np.uint8(255)
    expected = Scorer("raw").measure(binary, MASK, "x").columns
    read_only = binary.copy()
    read_only.setflags(write=False)
    wide = np.repeat(np.repeat(binary, 2, 0), 3, 1)[::2, ::3]
    for values in (read_only, wide, np.asfortranarray(binary), binary > 0, (binary / 255).astype(np.float32)):
        for mask in (MASK, MASK > 0, np.asfortranarray(MASK)):
            found = Scorer("raw").measure(values, mask, "x").columns
            for name, value in expected.items():
                assert found[name] == pytest.approx(value, abs=1e-12), name


def test_floats_equal_bytes_under_every_protocol() -> None:
    for name in ("pysodmetrics", "sal-eval", "cod-toolbox", "raw"):
        expected = Scorer(name).measure(MAP, MASK, "x").columns
        found = Scorer(name).measure(MAP / 255, MASK, "x").columns
        for key, value in expected.items():
            assert found[key] == pytest.approx(value, abs=2e-3 if key.endswith(("F", "E")) else 1e-12), key


def test_mask_cache_is_bounded_and_reused() -> None:
    first = MaskCache()
    Scorer(masks=first).update(*picture(0))
    (work,) = first._works.values()
    cache = MaskCache(limit=3 * work.size_in_bytes)
    scorer = Scorer(masks=cache)
    for index in range(6):
        scorer.update(*picture(index), name=str(index))
    assert len(cache._works) == 3
    before = dict(cache._works)
    again = Scorer(masks=cache)
    again.update(*picture(5), name="5")
    assert dict(cache._works) == before
    assert again.result().scores["wF"] == Scorer().measure(*picture(5), "5").columns["wF"]


def test_maps_and_masks_of_zero_and_one_are_noted_once_with_their_number(tmp_path: Path) -> None:
    mask = np.zeros((9, 12), np.uint8)
    mask[2:6, 3:9] = 255
    pairs = []
    for name, saliency, truth in (
        ("1", mask, mask),
        ("2", mask // 255, mask // 255),
        ("3", mask * 0, mask),  # an empty map is one
        ("4", mask // 255, mask // 255),
    ):
        files = tmp_path / f"map-{name}.png", tmp_path / f"mask-{name}.png"
        for path, pixels in zip(files, (saliency, truth), strict=True):
            Image.fromarray(pixels).save(path)
        pairs.append((name, *files))
    with pytest.warns(Note) as notes:
        tables = score_files(pairs, ["pysodmetrics", "raw"], ["MAE"], workers=2)
    first, second = (str(note.message) for note in notes)
    assert first.startswith(f"{tmp_path / 'map-2.png'}: a map of only 0 and 1") and "2 of 4 maps" in first
    assert second.startswith(f"{tmp_path / 'mask-2.png'}: a mask of only 0 and 1") and "2 of 4" in second
    assert tables["raw"].per_image.loc["2", "MAE"] == pytest.approx((24 / 108) * 254 / 255)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        score_files(pairs[::2], ["raw"], ["MAE"])


def test_no_memory_while_scoring_names_the_map(pairs: list, monkeypatch: pytest.MonkeyPatch) -> None:
    def exhausted(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr("sodbench.scoring.measure_image", exhausted)
    with pytest.raises(InputError, match=r"map.*: not enough memory to score it"):
        score_files(pairs[:1], metrics=["MAE"])
