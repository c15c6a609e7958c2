"""Shards: any split, joined in any order, gives a table bit-identical to that of one scorer."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sodbench.errors import InputError
from sodbench.metrics import Scorer, ScoreTable
from sodbench.shard import Shard

IMAGES = 7
METRICS = {"pysodmetrics": ["MAE", "F", "E", "S"], "basnet2019": ["MAE", "F"]}


def _measured(protocol: str) -> list:
    random = np.random.default_rng(5)
    scorer = Scorer(protocol, METRICS[protocol])
    y, x = np.mgrid[:20, :24]
    images = []
    for number in range(IMAGES):
        # the fourth mask is empty, which some scores leave out
        mask = (((y - 8 - number) ** 2 + (x - 12) ** 2 < 40) & (number != 3)) * np.uint8(255)
        grey = random.integers(0, 256, (20, 24)).astype(np.uint8) if number != 5 else np.zeros_like(mask)
        images.append(scorer.measure(grey, mask, f"i{number}"))
    return images


MEASURED = {protocol: _measured(protocol) for protocol in METRICS}


def _table(protocol: str, images: list, keep: bool) -> ScoreTable:
    scorer = Scorer(protocol, METRICS[protocol], keep_curves=keep)
    for image in images:
        scorer.add(image)
    return scorer.result()


def _same(one: ScoreTable, other: ScoreTable) -> None:
    assert one.protocol == other.protocol
    assert np.array_equal(list(one.scores.values()), list(other.scores.values()), equal_nan=True)
    assert list(one.scores) == list(other.scores)
    for kind in ("per_image", "curves", "image_facts"):
        ours, theirs = getattr(one, kind), getattr(other, kind)
        assert ours.equals(theirs), kind
        assert list(ours.columns) == list(theirs.columns)
        assert ours.index.equals(theirs.index)
    assert one.constant_maps == other.constant_maps
    assert (one.image_curves is None) == (other.image_curves is None)
    for key, values in (one.image_curves or {}).items():
        assert values.tobytes() == other.image_curves[key].tobytes()
    for key, sums in one.curve_sums.items():
        assert sums.tobytes() == other.curve_sums[key].tobytes()


@settings(deadline=None)
@given(st.data(), st.sampled_from(sorted(METRICS)), st.integers(1, IMAGES + 3), st.booleans())
def test_shards_joined_in_any_order_are_the_whole(
    data: st.DataObject, protocol: str, count: int, keep: bool
) -> None:
    images = MEASURED[protocol]
    parts = [Shard(number, count).of(images) for number in range(1, count + 1)]
    tables = [_table(protocol, part, keep) for part in parts if part]
    joined = Scorer(protocol, METRICS[protocol], keep_curves=keep)
    for table in data.draw(st.permutations(tables)):
        joined.add_table(table)
    _same(joined.result().ordered([image.name for image in images]), _table(protocol, images, keep))


@given(st.integers(0, 40), st.integers(1, 50))
def test_shards_share_out_all_images(images: int, count: int) -> None:
    parts = [Shard(number, count).of(range(images)) for number in range(1, count + 1)]
    assert sorted(one for part in parts for one in part) == list(range(images))
    sizes = [len(part) for part in parts]
    assert max(sizes) - min(sizes) <= 1
    assert sizes == sorted(sizes, reverse=True)


def test_a_shard_is_written_as_number_of_count() -> None:
    shard = Shard.parse("3/16")
    assert (shard.number, shard.count, str(shard), shard.folder) == (3, 16, "3/16", "3-of-16")
    assert Shard.parse(shard) is shard


@pytest.mark.parametrize(
    "text",
    [
        "0/4",
        "5/4",
        "a/b",
        "3",
        "",
        "1/0",
        "-1/4",
        "1.0/4",
        "1/4/",
        "\u0663/\u0664",
        "1/99999999",
        3,
        None,
        " 1/4",
    ],
)
def test_what_is_no_shard_is_refused(text: object) -> None:
    with pytest.raises(InputError, match=r"NUMBER/COUNT.*3/16"):
        Shard.parse(text)


def test_tables_that_do_not_fit_are_not_joined() -> None:
    metrics = METRICS["basnet2019"]
    table = _table("basnet2019", MEASURED["basnet2019"][:2], keep=True)
    scorer = Scorer("basnet2019", metrics, keep_curves=True)
    scorer.add_table(table)
    with pytest.raises(InputError, match="name given twice: i0, i1"):
        scorer.add_table(table)
    with pytest.raises(InputError, match="different protocols"):
        Scorer("pysodmetrics", metrics, keep_curves=True).add_table(table)
    with pytest.raises(InputError, match="keep_curves"):
        Scorer("basnet2019", metrics).add_table(table)
    with pytest.raises(InputError, match="without the sums of its curves"):
        Scorer("basnet2019", metrics, keep_curves=True).add_table(replace(table, curve_sums={}))
    assert scorer.result().n == 2
