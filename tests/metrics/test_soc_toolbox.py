"""SOC's toolbox as an oracle: its nine values of ICON on the test images with the attribute AC.

Source: ICON's published maps and the values that SOC's evaluation toolbox prints for them, to three digits.
"""

from pathlib import Path

import pytest

from sodbench.data.folder import open_folders, pair_maps
from sodbench.scoring import score_samples

PRINTED = {
    "S": 0.832,
    "wF": 0.767,
    "MAE": 0.066,
    "adpE": 0.872,
    "meanE": 0.885,
    "maxE": 0.895,
    "adpF": 0.782,
    "meanF": 0.793,
    "maxF": 0.814,
}


def test_the_nine_values_of_the_toolbox(shared_data: Path) -> None:
    folder = shared_data / "SOC-AC"
    if not folder.is_dir():
        pytest.skip("needs SOC-AC in the shared data")
    dataset = open_folders("soc-ac", folder / "masks")
    pairs = pair_maps(dataset, folder / "maps" / "ICON").pairs
    assert len(pairs) == 79
    scores = score_samples(pairs, ["pysodmetrics"])["pysodmetrics"].scores
    # half a unit of the last printed digit
    assert {name: scores[name] for name in PRINTED} == pytest.approx(PRINTED, abs=0.0005)
