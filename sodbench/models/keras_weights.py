"""Converts Keras weights of BASNet (`basnet_weights.h5`) to this project's network; needs h5py.

The file is what `model.save_weights("....h5")` of TensorFlow 2 writes: one group per layer, whose
`weight_names` are `<layer>/<kernel|bias|gamma|beta|moving_mean|moving_variance>:0`. The ResNet layers have
names (`v2_stack_1_block2_1_conv`). Keras numbers the others (`conv2d`, `conv2d_1` ...) in the order in which
the model's code makes them, which is the order here; layers made before the model shift the numbers.
"""

import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from sodbench.errors import InputError, cut
from sodbench.models.callables import one_line
from sodbench.models.tensor_file import check_total

Layer = dict[str, npt.NDArray[np.float32]]
_NAMES = {"gamma": "weight", "beta": "bias", "moving_mean": "running_mean", "moving_variance": "running_var"}
_NUMBERED = re.compile(r"(conv2d|batch_normalization)(?:_(\d{1,9}))?")
_RESNET = re.compile(r"v2_stack_(\d)_block(\d{1,9})_([012])_(conv|bn)")


def load_keras_state(path: Path) -> dict[str, Tensor]:
    """Reads the h5 file as a state dict of `basnet-keras`; raises InputError for any other file."""
    return convert_layers(_read_layers(path), path)


def convert_layers(layers: Mapping[str, Layer], path: Path) -> dict[str, Tensor]:
    """Keras' layers (name -> weight -> array in Keras' layout) as a state dict; `path` is for errors."""
    names = _layer_names()
    numbered: dict[str, list[tuple[int, str]]] = {"conv2d": [], "batch_normalization": []}
    state: dict[str, Tensor] = {}
    for name, layer in layers.items():
        if match := _RESNET.fullmatch(name):
            _convert(layer, _resnet_name(match), state, path)
        elif match := _NUMBERED.fullmatch(name):
            numbered[match[1]].append((int(match[2] or 0), name))
        else:
            raise InputError(
                f"{path}: unexpected layer {cut(name)!r}; expected the layers of keras-io's BASNet"
            )
    for kind, ours in names.items():
        theirs = [name for _, name in sorted(numbered[kind])]
        if len(theirs) != len(ours):
            raise InputError(f"{path}: {len(theirs)} {kind} layers outside ResNet, expected {len(ours)}")
        for their, our in zip(theirs, ours, strict=True):
            _convert(layers[their], our, state, path)
    return state


def _read_layers(path: Path) -> dict[str, Layer]:
    try:
        import h5py
    except ImportError as error:
        raise InputError(
            f"{path}: reading Keras weights needs h5py; install it with `pip install 'sodbench[keras]'`"
        ) from error
    if not path.is_file():
        raise InputError(f"{path}: no such weights file")
    layers: dict[str, Layer] = {}
    total = 0
    try:
        with h5py.File(path, "r") as file:
            root = file.get("model_weights", file)
            for group in root.values():
                for raw in group.attrs.get("weight_names", ()):
                    name = raw.decode() if isinstance(raw, bytes) else str(raw)
                    layer, _, weight = name.removesuffix(":0").rpartition("/")
                    total += 4 * getattr(group[name], "size", 0)
                    check_total(path, total, "take")
                    values = np.asarray(group[name], np.float32)
                    layers.setdefault(layer.rpartition("/")[2], {})[weight] = values
    except InputError:
        raise
    except Exception as error:  # h5py raises half a dozen kinds for files that are broken
        raise InputError(f"{path}: not an h5 file of Keras weights ({one_line(error)})") from error
    if not layers:
        raise InputError(
            f"{path}: holds no Keras layers (`weight_names`); expected the file of `save_weights`"
        )
    return layers


def _layer_names() -> dict[str, list[str]]:
    """This project's names of the layers that Keras numbers, in the order of the example's code."""
    conv, norm = ["inconv"], []
    for stage in (5, 6):
        for block in range(3):
            for i in (1, 2):
                conv.append(f"encoder{stage}.{block}.conv{i}")
                norm.append(f"encoder{stage}.{block}.bn{i}")

    def unit(name: str) -> None:
        conv.append(f"{name}.0")
        norm.append(f"{name}.1")

    for i in range(3):
        unit(f"bridge.{i}")
    for stage in range(5, -1, -1):
        for i in range(3):
            unit(f"decoder.{stage}.{i}")
    conv += [f"side.{i}" for i in range(7)]
    conv.append("refine.conv0")
    for i in range(4):
        unit(f"refine.encoder.{i}")
    unit("refine.bridge")
    for i in range(4):
        unit(f"refine.decoder.{i}")
    conv.append("refine.out")
    return {"conv2d": conv, "batch_normalization": norm}


def _resnet_name(match: re.Match[str]) -> str:
    stack, block, part, kind = int(match[1]), int(match[2]), int(match[3]), match[4]
    place = f"encoder{stack + 1}.{block - 1}"
    if part == 0:
        return f"{place}.downsample.{0 if kind == 'conv' else 1}"
    return f"{place}.{kind}{part}"


def _convert(layer: Layer, name: str, state: dict[str, Tensor], path: Path) -> None:
    for weight, values in layer.items():
        if weight == "kernel" and values.ndim != 4:
            raise InputError(f"{path}: {name}: a kernel of the shape {values.shape}; expected 4 dimensions")
        if weight == "kernel":  # height, width, in, out -> out, in, height, width
            values = np.ascontiguousarray(values.transpose(3, 2, 0, 1))
        ours = "weight" if weight == "kernel" else _NAMES.get(weight, weight)
        state[f"{name}.{ours}"] = torch.from_numpy(values)
