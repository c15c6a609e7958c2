"""Keras' h5 files that are broken: one line each, whatever h5py raises."""

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sodbench.errors import InputError
from sodbench.models.weights import load_state

h5py = pytest.importorskip("h5py")
KERNEL = "conv2d/kernel:0"


def layer(names: Any, values: dict[str, Any], name: str = "conv2d") -> Callable[[Any], None]:
    """Writes one layer with these `weight_names` and data sets."""

    def write(file: Any) -> None:
        group = file.create_group(name)
        group.attrs["weight_names"] = names
        for key, value in values.items():
            group.create_dataset(key, data=value)

    return write


def huge(file: Any) -> None:
    layer([KERNEL], {})(file)
    file["conv2d"].create_dataset(KERNEL, shape=(10**6, 10**6), chunks=(100, 100), dtype="f4")


def all_of_one_rank(file: Any) -> None:
    for kind, count in (("conv2d", 52), ("batch_normalization", 43)):
        for number in range(count):
            name = f"{kind}_{number}"
            weight = "kernel" if kind == "conv2d" else "gamma"
            layer([f"{name}/{weight}:0"], {f"{name}/{weight}:0": np.zeros(3)}, name)(file)


LONG = f"conv2d_{'9' * 5000}"
FILES: dict[str, Callable[[Any], object]] = {
    "text for numbers": layer([KERNEL], {KERNEL: b"abc"}),
    "nothing under the name": layer([KERNEL], {}),
    "names that are no text": layer(np.array([b"\xff\xfe/kernel:0"]), {}),
    "a number for names": layer(3, {}),
    "complex": layer([KERNEL], {KERNEL: np.zeros((1, 1, 1, 1), complex)}),
    "data for a group": lambda file: file.create_dataset("model_weights", data=np.zeros(3)),
    "a long number": layer([f"{LONG}/kernel:0"], {f"{LONG}/kernel:0": np.zeros((1, 1, 1, 1))}, LONG),
    "4 TB": huge,
    "kernels of one dimension": all_of_one_rank,
}


@pytest.mark.parametrize("name", FILES)
def test_a_broken_h5_file_is_one_line(name: str, tmp_path: Path) -> None:
    path = tmp_path / "w.h5"
    with h5py.File(path, "w") as file:
        FILES[name](file)
    with pytest.raises(InputError) as caught:
        load_state(path)
    text = str(caught.value)
    assert text.startswith(f"{path}: ") and "\n" not in text and len(text) < 500


def test_flipped_bytes_and_cut_files_are_one_line(tmp_path: Path) -> None:
    path = tmp_path / "w.h5"
    with h5py.File(path, "w") as file:
        layer([KERNEL], {KERNEL: np.zeros((3, 3, 3, 8), np.float32)})(file)
    whole = path.read_bytes()
    generator = random.Random(0)
    for _ in range(150):
        content = bytearray(whole[: generator.choice([len(whole), generator.randrange(len(whole))])])
        for _ in range(4):
            content[generator.randrange(len(content))] = generator.randrange(256)
        path.write_bytes(content)
        with pytest.raises(InputError):
            load_state(path)
