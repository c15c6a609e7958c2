"""benchmarks/weights_parts.py: weights in parts of a bounded size, and joined again to the byte."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "benchmarks" / "weights_parts.py"


def run(*words: object) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([sys.executable, str(SCRIPT), *map(str, words)], capture_output=True, text=True)


def test_parts_are_small_and_join_to_the_same_file(tmp_path: Path) -> None:
    weights, folder, joined = tmp_path / "w.pth", tmp_path / "parts", tmp_path / "joined.pth"
    weights.write_bytes(np.random.default_rng(0).bytes(31_000_001))
    folder.mkdir()
    (folder / "w.pth.009").write_bytes(b"of a larger file")
    assert run("split", weights, folder).returncode == 0
    parts = sorted(folder.glob("w.pth.0*"))
    assert [part.stat().st_size for part in parts] == [15_000_000, 15_000_000, 1_000_001]
    manifest = folder / "w.pth.parts.json"
    assert run("join", manifest, joined).returncode == 0
    assert joined.read_bytes() == weights.read_bytes()

    joined.unlink()
    content = parts[1].read_bytes()
    parts[1].write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    damaged = run("join", manifest, joined)
    parts[1].unlink()
    missing = run("join", manifest, joined)
    for found, expected in ((damaged, "w.pth.002: SHA-256"), (missing, "w.pth.002: this part is missing")):
        assert found.returncode == 2
        assert expected in found.stderr and found.stderr.count("\n") == 1
    assert not joined.exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["parts", "w.pth"]


@pytest.mark.parametrize("content", ["", '{"parts": 3}', '{"parts": [{}], "sha256": "a"}'])
def test_a_manifest_that_is_none_is_one_line(tmp_path: Path, content: str) -> None:
    manifest = tmp_path / "w.pth.parts.json"
    manifest.write_text(content)
    found = run("join", manifest, tmp_path / "w.pth")
    assert found.returncode == 2
    assert "not a readable manifest" in found.stderr and found.stderr.count("\n") == 1
