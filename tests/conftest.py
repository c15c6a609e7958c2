"""What all tests share: the real pictures and golden numbers, where they are available."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

# before any test imports onnxruntime itself
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

SHARED = Path(__file__).resolve().parents[2] / "shared"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--corpus", action="store_true", help="all bad inputs of tests/corpus, not only a share")


@pytest.fixture(scope="session", autouse=True)
def own_folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A cache of the session's own, in which the sample is made once; no data root of the user's."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SODBENCH_CACHE", str(tmp_path_factory.mktemp("cache")))
        patch.delenv("SODBENCH_DATA", raising=False)
        # on few cores, threads that spin while they wait starve the processes that tests start
        patch.setenv("OMP_WAIT_POLICY", os.environ.get("OMP_WAIT_POLICY", "passive"))
        yield


@pytest.fixture(scope="session", autouse=True)
def heard_signals() -> Iterator[None]:
    """Signals that the caller of pytest ignores (`nohup`, `&` in a script) reach the commands under test."""
    defaults = {signal.SIGINT: signal.default_int_handler, signal.SIGTERM: signal.SIG_DFL}
    if hasattr(signal, "SIGHUP"):
        defaults[signal.SIGHUP] = signal.SIG_DFL
    ignored = [number for number in defaults if signal.getsignal(number) is signal.SIG_IGN]
    for number in ignored:
        signal.signal(number, defaults[number])
    yield
    for number in ignored:
        signal.signal(number, signal.SIG_IGN)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data sets (`SOD/`, `ECSSD/`, ...), a data root; skips where it is absent."""
    folder = SHARED / "data"
    if not folder.is_dir():
        pytest.skip(f"needs the real pictures in {folder}")
    return folder


@pytest.fixture(scope="session")
def golden() -> Path:
    """The folder of exact outputs of the original BASNet; skips where it is absent."""
    folder = SHARED / "golden"
    if not folder.is_dir():
        pytest.skip(f"needs the golden outputs in {folder}")
    return folder


@pytest.fixture(scope="session")
def examples() -> Path:
    """The folder with a network file as a user would bring it; skips where it is absent."""
    folder = SHARED / "examples"
    if not folder.is_dir():
        pytest.skip(f"needs the example network in {folder}")
    return folder


NETWORK = '''
"""A network as a user writes one: brightness against the picture's mean."""
import torch
from torch import nn


class Brightness(nn.Module):
    def __init__(self):
        super().__init__()
        self.gain = nn.Parameter(torch.tensor(2.0))

    def forward(self, x):
        grey = x.mean(1, keepdim=True)
        return torch.sigmoid(self.gain * (grey - grey.mean((2, 3), keepdim=True)))


def create():
    return Brightness()


create.baseline = {
    "input": {"height": 32, "width": 32, "scaling": "255"},
    "output": {"kind": "probability", "stretch": False},
}
'''


@pytest.fixture()
def root(tmp_path: Path) -> Path:
    """A data root with parts of ECSSD (6 pairs) and SOD (3 pairs) in their official layouts."""
    folder = tmp_path / "data"
    random = np.random.default_rng(0)
    y, x = np.mgrid[:40, :48]
    for name, images, masks, stems in (
        ("ECSSD", "images", "ground_truth_mask", [f"{n:04d}" for n in range(1, 7)]),
        ("SOD", "images", "GT", ["3096", "8049", "8143"]),
    ):
        (folder / name / images).mkdir(parents=True)
        (folder / name / masks).mkdir(parents=True)
        for number, stem in enumerate(stems):
            mask = ((y - 12 - 2 * number) / 9) ** 2 + ((x - 30 + 2 * number) / 13) ** 2 < 1
            picture = random.integers(0, 90, (40, 48, 3)) + mask[:, :, None] * 120
            Image.fromarray(picture.astype(np.uint8)).save(folder / name / images / f"{stem}.jpg", quality=95)
            Image.fromarray((mask * 255).astype(np.uint8)).save(folder / name / masks / f"{stem}.png")
    return folder


@pytest.fixture()
def network(tmp_path: Path) -> tuple[str, Path]:
    """The user's network as `file.py:create`, and its weights file."""
    import torch

    file, weights = tmp_path / "mynet.py", tmp_path / "mynet.pth"
    file.write_text(NETWORK)
    torch.save({"gain": torch.tensor(4.0)}, weights)
    return f"{file}:create", weights


@pytest.fixture()
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory."""
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder
