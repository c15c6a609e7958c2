"""The curves of all images are the same whether they lie in memory or in a file."""

import errno
import pickle
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sodbench.errors import InputError
from sodbench.metrics import Scorer
from sodbench.metrics.kept_curves import KeptCurves, in_pieces

LEVELS = 8


def rows(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).random((count, LEVELS)).astype(np.float32)


def filled(values: np.ndarray, in_memory: int) -> KeptCurves:
    kept = KeptCurves(in_memory)
    for row in values:
        kept.add("precision", row)
        kept.add("recall", 1 - row)
    return kept


@settings(deadline=None, max_examples=25)
@given(
    st.integers(1, 2500), st.integers(0, 1500), st.sampled_from([0, 500, 70_000, 10**9]), st.integers(1, 4000)
)
def test_any_limit_gives_the_rows_in_order(count: int, more: int, in_memory: int, piece: int) -> None:
    first, second = rows(count), rows(more, 1)
    kept = filled(first, in_memory)
    early = kept.so_far()
    kept.extend(filled(second, 0))
    both = np.concatenate([first, second])
    assert np.array_equal(kept["precision"], both)
    assert np.array_equal(early["recall"], 1 - first)
    pieces = list(in_pieces(kept, piece))
    assert np.array_equal(np.concatenate([one["recall"] for one in pieces]), 1 - both)
    assert {len(one["recall"]) for one in pieces[:-1]} <= {piece}
    copy = pickle.loads(pickle.dumps(kept))
    copy.add("precision", both[0])
    assert len(copy["precision"]) == len(both) + 1
    assert np.array_equal(kept["precision"], both)


def test_a_copy_that_is_read_does_not_disturb_what_is_added_later() -> None:
    values = rows(2500)
    kept = filled(values[:1500], 1000)
    kept.add("precision", values[1500])
    kept.add("recall", 1 - values[1500])
    early = kept.so_far()
    assert np.array_equal(early["precision"], values[:1501])
    for row in values[1501:]:
        kept.add("precision", row)
        kept.add("recall", 1 - row)
    assert np.array_equal(early["precision"], values[:1501])
    assert np.array_equal(kept["precision"], values)


def test_a_scorer_with_its_curves_in_a_file_gives_the_same_table(monkeypatch: pytest.MonkeyPatch) -> None:
    draw = np.random.default_rng(2)
    pairs = [(draw.integers(0, 256, (9, 9)), draw.integers(0, 2, (9, 9)) * 255) for _ in range(40)]
    tables = []
    for limit in (10**9, 10_000):
        monkeypatch.setattr(KeptCurves.__init__, "__defaults__", (limit,))
        scorer = Scorer(keep_curves=True)
        for i, (saliency_map, mask) in enumerate(pairs):
            scorer.update(saliency_map.astype(np.uint8), mask.astype(np.uint8), name=str(i))
        tables.append(scorer.result())
    in_memory, in_file = tables
    assert isinstance(in_file.image_curves["E"], np.memmap)
    assert not isinstance(in_memory.image_curves["E"], np.memmap)
    assert in_memory.scores == in_file.scores
    for name, curves in in_memory.image_curves.items():
        assert np.array_equal(curves, in_file.image_curves[name])


def test_a_full_temporary_folder_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    class Full:
        def seek(self, place: int) -> None:
            pass

        def write(self, content: bytes) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(tempfile, "TemporaryFile", lambda **_: Full())
    with pytest.raises(InputError, match=rf"^{Path(tempfile.gettempdir())}: no space left for the curves"):
        filled(rows(10), 0)
