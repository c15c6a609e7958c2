"""What all tests share: the real pictures and golden numbers, where they are at hand."""

from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[2] / "shared"


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
