"""What all tests share: the real pictures and golden numbers, where they are at hand."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture(scope="session", autouse=True)
def own_folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A cache of the session's own, in which the sample is made once; no data root of the user's."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SODBENCH_CACHE", str(tmp_path_factory.mktemp("cache")))
        patch.delenv("SODBENCH_DATA", raising=False)
        # on few cores, threads that spin while they wait starve the processes that tests start
        patch.setenv("OMP_WAIT_POLICY", os.environ.get("OMP_WAIT_POLICY", "passive"))
        yield


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
