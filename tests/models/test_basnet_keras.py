"""The Keras variant against Keras itself.

`golden/basnet_keras_layers.json` lists the groups and weights of the h5 file that `save_weights` writes for
the keras-io model (TensorFlow 2.15, KerasCV 0.6, 96 x 64 input); `golden/basnet_keras_forward.npz` holds
that model's outputs with every weight filled by its Keras name, on one fixed input.
"""

import json
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch

from sodbench.errors import InputError
from sodbench.models import create, load_baseline
from sodbench.models.keras_weights import convert_layers
from sodbench.models.weights import load_into, load_state

GOLDEN = Path(__file__).resolve().parents[1] / "golden"
GROUPS = json.loads((GOLDEN / "basnet_keras_layers.json").read_text())


def _fill(name: str, shape: list[int]) -> np.ndarray:
    """The golden rule, with Keras' names and layouts."""
    a = np.random.RandomState(zlib.crc32(name.encode())).standard_normal(shape)
    match name.rsplit("/", 1)[1]:
        case "kernel":
            a = a * np.sqrt(1 / np.prod(shape[:3]))
        case "moving_variance":
            a = 1 + 0.1 * np.abs(a)
        case "gamma":
            a = 1 + 0.1 * a
        case _:
            a = 0.1 * a
    return a.astype(np.float32)


def test_parameters_are_counted_as_keras_does():
    with torch.device("meta"):
        network = create("basnet-keras")
    statistics = sum(t.numel() for n, t in network.state_dict().items() if "running" in n)
    parameters = sum(p.numel() for p in network.parameters())
    assert (parameters, statistics, parameters + statistics) == (108_834_952, 51_840, 108_886_792)
    stages = [sum(t.numel() for n, t in network.state_dict().items()
                  if n.startswith(f"encoder{i}.") and not n.endswith("tracked"))
              for i in (1, 2, 3, 4)]  # fmt: skip
    assert stages == [222_720, 1_118_720, 6_829_056, 13_121_536]


def test_outputs_are_those_of_keras():
    layers: dict[str, dict[str, np.ndarray]] = {}
    for group in GROUPS:
        for full, shape in group["weights"]:
            layer, weight = full.removesuffix(":0").split("/")
            layers.setdefault(layer, {})[weight] = _fill(f"{layer}/{weight}", shape)
    network = create("basnet-keras").eval()
    load_into(network, convert_layers(layers, Path("basnet_weights.h5")), "basnet_weights.h5")
    x = np.random.RandomState(0).standard_normal((1, 96, 64, 3)).astype(np.float32)
    with torch.inference_mode():
        outputs = network(torch.from_numpy(x).permute(0, 3, 1, 2))
        final = network.final(torch.from_numpy(x).permute(0, 3, 1, 2))
    expected = np.load(GOLDEN / "basnet_keras_forward.npz")
    assert len(outputs) == 8
    for i, logits in enumerate(outputs):
        np.testing.assert_allclose(torch.sigmoid(logits)[:, 0], expected[f"d{i}"], rtol=0, atol=1e-5)
    torch.testing.assert_close(final, outputs[0])


@pytest.fixture
def small_file(tmp_path):
    """An h5 file as Keras writes it, at a thirty-second of the width and with numbers that start later."""
    h5py = pytest.importorskip("h5py")
    path = tmp_path / "basnet_weights.h5"

    def shifted(name: str) -> str:
        for kind in ("conv2d", "batch_normalization"):
            if name == kind:
                return f"{kind}_7"
            if name.startswith(f"{kind}_"):
                return f"{kind}_{int(name.removeprefix(kind + '_')) + 7}"
        return name

    with h5py.File(path, "w") as file:
        for group in GROUPS:
            made = file.create_group(shifted(group["group"]))
            names = []
            for full, shape in group["weights"]:
                layer, weight = full.split("/")
                name = f"{shifted(layer)}/{weight}"
                names.append(name.encode())
                narrow = [n // 32 if n >= 64 else n for n in shape]
                made.create_dataset(name, data=_fill(full.removesuffix(":0"), narrow))
            made.attrs["weight_names"] = names
        file.attrs["layer_names"] = [shifted(g["group"]).encode() for g in GROUPS]
    return path


def test_a_small_file_of_the_same_structure_loads(small_file):
    network = create("basnet-keras", width=2)
    state = load_state(small_file)
    load_into(network, state, "small")
    # the summary's first and last layers, and one of the named ones
    expected = _fill("conv2d/kernel", [3, 3, 3, 2]).transpose(3, 2, 0, 1)
    np.testing.assert_array_equal(state["inconv.weight"], expected)
    np.testing.assert_array_equal(
        state["encoder2.0.downsample.1.running_var"], _fill("v2_stack_1_block1_0_bn/moving_variance", [4])
    )
    np.testing.assert_array_equal(
        state["refine.out.weight"], _fill("conv2d_51/kernel", [3, 3, 2, 1]).transpose(3, 2, 0, 1)
    )


def test_through_the_baseline(small_file, user_folder):
    (user_folder / "baselines" / "small.toml").write_text(
        'title = "Small"\nnetwork = "basnet-keras"\n[options]\nwidth = 2\n'
    )
    loaded = load_baseline("small").load(small_file)
    with torch.inference_mode():
        assert loaded.network(torch.rand(1, 3, 32, 32))[0].shape == (1, 1, 32, 32)


def test_wrong_h5_files_are_explained(small_file, tmp_path):
    h5py = pytest.importorskip("h5py")
    with h5py.File(small_file, "a") as file:
        del file["conv2d_58"]
    with pytest.raises(InputError, match="51 conv2d layers outside ResNet, expected 52"):
        load_state(small_file)
    with h5py.File(tmp_path / "empty.h5", "w") as file:
        file.create_group("x")
    with pytest.raises(InputError, match="holds no Keras layers"):
        load_state(tmp_path / "empty.h5")
    (tmp_path / "text.h5").write_text("no h5")
    with pytest.raises(InputError, match="not an h5 file of Keras weights"):
        load_state(tmp_path / "text.h5")


def test_without_h5py_the_extra_is_named(small_file, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(InputError, match=r"pip install 'sodbench\[keras\]'"):
        load_state(small_file)
