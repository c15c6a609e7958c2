"""What `Scorer`, `score` and the drop-in refuse in one line, and maps that are resampled."""

import pickle
import subprocess
import sys
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sodbench.metrics.dropin as dropin
from sodbench.errors import InputError, Note
from sodbench.metrics import load_protocol, protocol_names, resizing
from sodbench.metrics.image_scores import measure_image
from sodbench.metrics.inputs import checked_mask
from sodbench.metrics.resizing import resized
from sodbench.metrics.scorer import Scorer, score

MASK = np.zeros((8, 9), np.uint8)
MASK[2:6, 2:6] = 255
MAP = np.linspace(0, 1, 72).reshape(8, 9)


class Hostile:
    """An object whose conversion to an array fails with a message of two lines."""

    def __array__(self, *_: object, **__: object) -> np.ndarray:
        raise RuntimeError("not\nhere")


BAD: dict[str, Any] = {
    "ragged": [[0.1, 0.2], [0.3]],
    "ragged deeper": [[[1], [2, 3]], [[4], [5]]],
    "masked": np.ma.masked_greater(MAP, 0.5),
    "nan": np.full((8, 9), np.nan),
    "infinite": np.where(MAP > 0.5, np.inf, MAP),
    "complex": MAP.astype(complex),
    "object": MAP.astype(object),
    "objects": np.array([[None] * 9] * 8),
    "text": np.full((8, 9), "x"),
    "dates": np.zeros((8, 9), "datetime64[s]"),
    "records": np.zeros((8, 9), [("a", "u1")]),
    "none": None,
    "word": "a.png",
    "hostile": Hostile(),
    "too deep": np.zeros((8, 9, 3), np.uint8),
    "flat": np.zeros(72),
    "no pixels": np.zeros((0, 9)),
    "int64": np.zeros((8, 9), np.int64),
    "above 1": MAP * 255,
    "huge": np.broadcast_to(np.uint8(0), (2**26, 2**26)),
    "tall": np.broadcast_to(np.uint8(0), (89_478_485, 1)),
}


def one_line(call: Callable[[], object]) -> None:
    with pytest.raises(InputError) as caught:
        call()
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 400


@pytest.mark.parametrize("bad", BAD)
def test_what_is_no_map_or_mask_is_refused_in_one_line(bad: str) -> None:
    scorer = Scorer(metrics=["MAE"])
    one_line(lambda: scorer.update(BAD[bad], MASK, name="a"))
    one_line(lambda: scorer.update(MASK, BAD[bad], name="a"))
    one_line(lambda: score(BAD[bad], MASK))
    one_line(lambda: dropin.MAE().step(BAD[bad], MASK))
    one_line(lambda: dropin.MAE().step(MASK, BAD[bad]))
    one_line(lambda: dropin.MAE().step(BAD[bad], MASK > 0, normalize=False))
    one_line(scorer.scores)


def test_a_masked_array_without_masked_values_is_an_array() -> None:
    whole = np.ma.masked_array(MAP)
    assert score(whole, MASK) == score(MAP, MASK)
    assert score(np.ma.masked_greater(MAP, 2), MASK) == score(MAP, MASK)


def test_the_largest_picture() -> None:
    """2**31 - 1 pixels, a margin of 72 columns included. The masks are shapes without memory."""
    exact, more = (2**31 - 1) // 2**10 - 72, 2**31 // 2**10 - 72
    with pytest.raises(InputError, match="mask of type int64"):
        checked_mask(np.broadcast_to(np.int64(0), (2**10, exact)), "a")
    with pytest.raises(InputError, match="is too large; expected at most 2,147,483,647 pixels"):
        checked_mask(np.broadcast_to(np.int64(0), (2**10, more)), "a")


def test_a_size_mismatch_names_the_protocols_that_resample() -> None:
    with pytest.raises(InputError) as caught:
        score(MAP[:4], MASK)
    text = str(caught.value)
    assert text.startswith("the pair: map is 4 x 9, mask is 8 x 9 (height x width)")
    named = text.partition("resamples maps (")[2].partition(")")[0].split(", ")
    assert named == [one for one in protocol_names() if load_protocol(one).size_mismatch != "error"]
    assert text.endswith("(sodbench score --resize bilinear)")
    assert "sal-eval" in named and "pysodmetrics" not in named


@pytest.mark.parametrize("name", [("a", 1), 3, b"a", 1.5, ["a"], MASK])
def test_a_name_that_is_no_string_is_refused(name: Any) -> None:
    scorer = Scorer(metrics=["MAE"])
    one_line(lambda: scorer.update(MAP, MASK, name=name))
    one_line(lambda: scorer.measure(MAP, MASK, name))
    scorer.update(MAP, MASK)
    scorer.update(MAP, MASK, name=np.str_("b"))
    assert list(scorer.result().per_image.index) == ["0", "b"]


def test_a_map_of_zero_and_one_is_noted_once() -> None:
    scorer = Scorer("raw", ["MAE"])
    with pytest.warns(Note, match="^first: the map holds only 0 and 1") as notes:
        scorer.update(MASK, MASK, name="good")
        scorer.update(MASK // 255, MASK, name="first")
        scorer.update(MASK // 255, MASK, name="second")
    assert len(notes) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        scorer = pickle.loads(pickle.dumps(Scorer("raw", ["MAE"])))
        for fine in (MASK * 0, MASK > 0, MASK / 255, np.full_like(MASK, 2)):
            scorer.update(fine, MASK)


def test_sizes_are_compared_before_anything_is_resampled(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise AssertionError("resampled")

    monkeypatch.setattr("sodbench.metrics.image_scores.resized", fail)
    scorers = [Scorer("sal-eval", ["MAE"]), Scorer("pysodmetrics", ["MAE"])]
    with pytest.raises(InputError, match="protocol pysodmetrics compares equal sizes only"):
        measure_image(MAP[:4], MASK, "a", scorers, None)


sizes = st.integers(1, 90)


@settings(max_examples=60, deadline=None)
@given(sizes, sizes, sizes, sizes, st.sampled_from([1, 40, 500, 3000]), st.integers(0, 2**32 - 1))
def test_resampling_in_parts_is_resampling_at_once(
    height: int, width: int, new_height: int, new_width: int, working_set: int, seed: int
) -> None:
    values = np.random.default_rng(seed).random((height, width))
    at_once = resized(values, (new_height, new_width))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(resizing, "WORKING_SET", working_set)
        np.testing.assert_allclose(resized(values, (new_height, new_width)), at_once, atol=1e-12)
    rows, columns = _dense(height, new_height), _dense(width, new_width)
    np.testing.assert_allclose(at_once, np.clip(rows @ values @ columns.T, 0, 1), atol=1e-12)


def _dense(size: int, wanted: int) -> np.ndarray:
    """Bicubic interpolation with a = -0.5, written entry by entry."""
    weights = np.zeros((wanted, size))
    for i in range(wanted):
        centre = (i + 0.5) * size / wanted - 0.5
        for j in range(size):
            d = abs(j - centre) / max(size / wanted, 1)
            if d <= 1:
                weights[i, j] = 1.5 * d**3 - 2.5 * d**2 + 1
            elif d < 2:
                weights[i, j] = -0.5 * d**3 + 2.5 * d**2 - 4 * d + 2
    return weights / weights.sum(axis=1, keepdims=True)


LONG = """
import resource
import numpy as np
from sodbench.metrics.resizing import resized
from sodbench.data.preprocessing import InputSpec, finish, prepare
limit = 2 * 2**30
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
side = 65_535
for shape in ((1, side), (side, 1)):
    assert resized(np.full(shape, 7, np.uint8), (40, 30)).tolist() == [[7] * 30] * 40
    assert (resized(np.full((40, 30), 7, np.uint8), shape) == 7).all()
    image = np.full((*shape, 3), 7, np.uint8)
    for resample in ("bilinear", "bilinear-antialias", "bicubic", "lanczos"):
        for fit in ("stretch", "pad", "long-side"):
            x = prepare(image, InputSpec(256, 256, resample=resample, fit=fit))
            small = (256 if shape[0] > 1 else 32, 256 if shape[1] > 1 else 32)
            assert x.shape == (3, *(small if fit == "long-side" else (256, 256))), (resample, fit)
            if resample != "bilinear-antialias":
                assert finish(x[0], shape, False, resample, fit).shape == shape
"""


def test_long_sides_take_little_memory() -> None:
    done = subprocess.run([sys.executable, "-c", LONG], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-500:]
