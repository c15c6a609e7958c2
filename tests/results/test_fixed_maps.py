"""The drift gate on metrics of fixed maps: the sample, maps made by integer arithmetic, all protocols.

`python tests/results/test_fixed_maps.py` rewrites the reference beside this file; do that only where a
convention was changed on purpose.
"""

from pathlib import Path

import numpy as np
import pytest

from sodbench.data.folder import open_dataset
from sodbench.data.images import read_mask, write_map
from sodbench.metrics import protocol_names
from sodbench.reporting.drift_formats import text
from sodbench.results.drift import check
from sodbench.results.new_run import new_run
from sodbench.results.reference import Reference, read_reference, updated, write_reference
from sodbench.results.run import Run
from sodbench.scoring import score_files

REFERENCE = Path(__file__).with_name("fixed_maps_reference.json")


def fixed_map(mask: np.ndarray, number: int) -> np.ndarray:
    """A soft, shifted, incomplete map: the mask moved, box-blurred, dimmed, with a faint frame."""
    size = 2 * (number % 7) + 3
    moved = np.roll(mask > 127, (number % 5, number % 3), (0, 1)).astype(np.int64)
    for axis in (0, 1):
        padded = np.concatenate([np.take(moved, [0] * size, axis), moved], axis)
        total = np.cumsum(padded, axis)
        moved = (np.take(total, range(size, total.shape[axis]), axis)
                 - np.take(total, range(total.shape[axis] - size), axis))  # fmt: skip
    found = moved * (255 - 9 * (number % 11)) // (size * size)
    found[: number % 9] = np.maximum(found[: number % 9], 20 + number)
    return found.astype(np.uint8)


def scored(folder: Path) -> Run:
    """The run of the fixed maps on the sample's test pictures under every shipped protocol."""
    dataset = open_dataset("sample")
    files = []
    for number, sample in enumerate(dataset.samples):
        assert sample.mask is not None
        path = folder / f"{sample.name}.png"
        write_map(path, fixed_map(read_mask(sample.mask), number))
        files.append((sample.name, path, sample.mask))
    tables = score_files(files, protocol_names())
    return new_run("fixed maps", dataset, tables, maps=folder)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return scored(tmp_path_factory.mktemp("fixed"))


def test_metrics_of_fixed_maps_have_not_drifted(run: Run) -> None:
    drift = check(read_reference(REFERENCE), [run])
    assert not drift.failed(strict=True), text(drift, REFERENCE.name)
    assert drift.compared == len(run.values()) > 40


def test_the_maps_are_neither_perfect_nor_worthless(run: Run) -> None:
    scores = run.tables["pysodmetrics"].scores
    assert 0.01 < scores["MAE"] < 0.2 and 0.6 < scores["S"] < 0.98 and 0.6 < scores["maxF"] < 0.999


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory() as name:
        # sums in another order, on another processor, differ in the last digits
        write_reference(
            REFERENCE, updated(Reference(tolerances={"default": 1e-9}), [scored(Path(name))], False)
        )
