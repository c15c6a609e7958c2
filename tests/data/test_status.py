"""How much of each data set is on this disk."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sodbench.data.auditing.status import available, datasets, status_of
from sodbench.data.card import card_names, load_card


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SODBENCH_CACHE", str(tmp_path / "cache"))
    for folder in ("images", "GT"):
        (tmp_path / "SOD" / folder).mkdir(parents=True)
        Image.fromarray(np.zeros((5, 5), np.uint8)).save(tmp_path / "SOD" / folder / "27059.png")
    (tmp_path / "ECSSD").mkdir()
    return tmp_path


def test_states(root: Path) -> None:
    statuses = {status.name: status for status in available(root)}
    assert sorted(statuses) == card_names()
    sod = statuses["sod"]
    assert (sod.state, sod.present, sod.expected, sod.folder) == ("partial", 1, 300, str(root / "SOD"))
    assert sod.size == sum(path.stat().st_size for path in root.glob("SOD/*/*.png"))
    assert statuses["ecssd"].state == "broken" and "known layout" in statuses["ecssd"].problem
    assert statuses["hku-is"].state == "absent" and statuses["sample"].state == "unmade"
    assert not (root / "cache").exists()
    shutil.rmtree(root / "SOD")
    assert status_of(load_card("sod"), root).state == "absent"


def test_the_frame_has_one_row_per_data_set(root: Path) -> None:
    frame = datasets(root)
    columns = ["name", "title", "role", "expected", "present", "state", "folder"]
    assert list(frame.columns) == columns and list(frame["name"]) == card_names()
    row = frame.set_index("name").loc["sod"]
    assert (row["role"], row["expected"], row["present"], row["state"]) == ("test", 300, 1, "partial")
