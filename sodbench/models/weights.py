"""Weights files: loaded without running code and checked against the network."""

import hashlib
import io
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TypeGuard

import torch
from torch import Tensor, nn

from sodbench.errors import InputError, cut, first_of
from sodbench.files import atomic_path
from sodbench.models.onnx_file import is_onnx
from sodbench.models.safetensors_file import SUFFIX, is_safetensors, read_safetensors
from sodbench.models.tensor_file import check_tensors, read_tensor_file

# what wrappers put before the names of a state dict
_PREFIXES = ("module.", "_orig_mod.")
# keys of a checkpoint with the optimiser's state, and with the averaged weights in a training's `last.pt`
_NOT_TAKEN = re.compile(r"opt$|optim|.*optimi[sz]er|.*scheduler|.*scaler|average$", re.IGNORECASE)


def load_state(path: Path) -> dict[str, Tensor]:
    """Reads a state dict, float32; never runs code from the file.

    Understands a plain state dict; a checkpoint that holds one, at any key, one or two levels deep; names
    with `module.` or `_orig_mod.` before them; half and double precision; a `.safetensors` file; and the h5
    file of Keras' BASNet. The name's suffix says which format is read, and no other is read in its place.
    Raises InputError for anything else, for a checkpoint that holds several, and for a tensor that is
    complex, sparse, quantised or without values.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such weights file")
    if is_onnx(path):
        raise InputError(f"{path}: an ONNX file holds its own network; run it by itself: sodbench run {path}")
    if path.suffix.lower() in (".h5", ".hdf5"):
        from sodbench.models.keras_weights import load_keras_state

        return load_keras_state(path)
    state = read_safetensors(path) if path.suffix.lower() == SUFFIX else _read_checkpoint(path)
    if not state:
        raise InputError(f"{path}: holds no tensors; expected the state dict of a network")
    check_tensors(state, path)
    return {_strip(name): _single(tensor) for name, tensor in state.items()}


def state_digest(state: Mapping[str, Tensor]) -> str:
    """The SHA-256 of a state dict, 64 hexadecimal digits: of names, types, shapes and values.

    For each tensor, by name: the line `<name> <type> <shape>`, as in `conv.weight float32 8x3x3x3`, in UTF-8,
    ended by a newline, then its values in row-major order, little-endian.
    """
    digest = hashlib.sha256()
    for name in sorted(state):
        tensor = state[name]
        kind = str(tensor.dtype).removeprefix("torch.")
        digest.update(f"{name} {kind} {_shape(tensor)}\n".encode())
        values = tensor.detach().cpu().contiguous().reshape(-1)
        digest.update(values.view(torch.uint8).numpy().data)
    return digest.hexdigest()


def check_values(own: Mapping[str, Tensor], state: Mapping[str, Tensor], source: str) -> None:
    """Raises InputError for values that are not finite, and for whole numbers in place of real ones.

    `own` is the network's state before it is loaded: where that holds values that are not finite itself (a
    mask of minus infinity, say), the file may hold the same. Empty: all values must be finite.
    """
    for name, tensor in state.items():
        ours = own.get(name, torch.zeros(()))
        if tensor.is_complex():
            raise InputError(f"{source}: {cut(name)} is complex; expected weights of real numbers")
        if not tensor.is_floating_point():
            if ours.is_floating_point() and tensor.dim():
                raise InputError(
                    f"{source}: {cut(name)} holds whole numbers ({str(tensor.dtype).split('.')[1]}), "
                    "the network has real ones there; save the weights as float32 or in half precision"
                )
            continue
        finite = torch.isfinite(tensor)
        if not finite.all() and not torch.equal(finite, torch.isfinite(ours).cpu()):
            count = tensor.numel() - int(finite.sum())
            raise InputError(
                f"{source}: {count} of the {tensor.numel()} values of {cut(name)} are not finite; "
                "the weights are broken: take them from an earlier checkpoint"
            )


def load_into(network: nn.Module, state: Mapping[str, Tensor], source: str) -> None:
    """Loads strictly; the InputError for weights of another network names the tensors that differ.

    Values must be finite, see `check_values`. `source` names the file in the error. BN's
    `num_batches_tracked` may be absent (files of PyTorch 0.4), because no output depends on it.
    """
    own = network.state_dict()
    missing = [name for name in own if name not in state and not name.endswith("num_batches_tracked")]
    unexpected = [cut(name) for name in state if name not in own]
    shapes = [
        f"{name} {_shape(state[name])} in the file, {_shape(own[name])} in the network"
        for name in own
        if name in state and state[name].shape != own[name].shape
    ]
    if missing or unexpected or shapes:
        differences = [
            f"{len(names)} {what} ({first_of(names, 3)})"
            for what, names in (
                ("missing", missing),
                ("unexpected", unexpected),
                ("of another shape", shapes),
            )
            if names
        ]
        raise InputError(
            f"{source}: not weights of this network: of its {len(own)} tensors and the file's {len(state)}, "
            f"{'; '.join(differences)}"
        )
    check_values(own, state, source)
    network.load_state_dict(dict(state), strict=False)


def save_half(state: Mapping[str, Tensor], path: Path) -> None:
    """Writes a small file: weights of convolutions in half precision, vectors (biases, BN) as they are.

    The file is written atomically, and the same tensors give the same bytes. A tensor with a value outside
    the range of half precision stays float32.
    """
    small: dict[str, Tensor] = {}
    for name, tensor in state.items():
        kept = tensor.detach().cpu().contiguous()
        if kept.is_floating_point() and kept.dim() > 1:
            half = kept.half()
            kept = half if bool(torch.isfinite(half).all()) else kept.float()
        small[name] = kept.clone()
    # through memory, because torch.save writes the file's own (temporary) name into the archive
    buffer = io.BytesIO()
    torch.save(small, buffer)
    with atomic_path(path) as part:
        part.write_bytes(buffer.getvalue())


def _read_checkpoint(path: Path) -> Mapping[str, Tensor]:
    """The one state dict in a file of `torch.save`."""
    try:
        content = read_tensor_file(path)
    except InputError:
        raise
    except Exception as error:  # torch raises half a dozen kinds for files that are none of its own
        if is_safetensors(path):
            raise InputError(
                f"{path}: a safetensors file under another name; rename it to {path.stem}{SUFFIX}"
            ) from error
        raise InputError(
            f"{path}: not a PyTorch weights file ({_reason(error)}); "
            "save a plain state dict with torch.save(network.state_dict(), file)"
        ) from error
    states = _states(content)
    if not states:
        if isinstance(content, Mapping):
            kind = f"keys {first_of([_key(key) for key in content], 5) or 'none'}"
        else:
            kind = type(content).__name__
        raise InputError(f"{path}: holds no state dict (found {kind}); expected names with tensors")
    if len(states) > 1:
        names = list(states)
        keys = "".join(f"[{key!r}]" for key in names[0].split("."))
        raise InputError(
            f"{path}: holds {len(states)} state dicts ({first_of(names)}); save the one to use in a file "
            f"of its own, e.g. torch.save(torch.load(FILE){keys}, OTHER)"
        )
    (state,) = states.values()
    return state


def _states(content: object) -> dict[str, Mapping[str, Tensor]]:
    """The state dicts in a file by their place: "model", "generator.net"; "" for the whole content."""
    if _is_state(content):
        return {"": content}
    # a content may refer to itself: each state dict counts once, by its first place
    places = {id(inner): (place, inner) for place, inner in reversed(list(_inside(content, depth=2)))}
    return {
        place: inner
        for place, inner in reversed(places.values())
        # a network has matrices or kernels; a table of metrics or of class weights has none
        if any(tensor.dim() > 1 for tensor in inner.values())
    }


def _inside(content: object, depth: int) -> Iterator[tuple[str, Mapping[str, Tensor]]]:
    if not isinstance(content, Mapping) or not depth or "param_groups" in content:
        return
    for key, value in content.items():
        if isinstance(key, str) and _NOT_TAKEN.match(key):
            continue
        if _is_state(value):
            yield _key(key), value
        else:
            for place, state in _inside(value, depth - 1):
                yield f"{_key(key)}.{place}", state


def _key(key: object) -> str:
    """A key for messages; other keys than text and numbers by their type, because they can be of any size."""
    return cut(str(key)) if isinstance(key, str | int | float) else type(key).__name__


def _is_state(value: object) -> TypeGuard[Mapping[str, Tensor]]:
    if not isinstance(value, Mapping) or not value:
        return False
    return all(isinstance(k, str) and isinstance(v, Tensor) for k, v in value.items())


def _reason(error: Exception) -> str:
    """Why torch does not load a file, in one line, without torch's advice and colours."""
    message = re.sub(r"\x1b\[[0-9;]*m", "", str(error))
    if "TorchScript" in message:
        return "it is a TorchScript program"
    if named := re.search(r"GLOBAL (\S+) was not an allowed global", message):
        return f"it holds a pickled {named[1]}, and loading that would run code"
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    reason = lines[0].split(". ")[0].rstrip(".") if lines else ""
    if not reason or "Weights only load failed" in message or isinstance(error, KeyError):
        reason = type(error).__name__
    return reason


def _strip(name: str) -> str:
    while name.startswith(_PREFIXES):
        name = name.split(".", 1)[1]
    return name


def _single(tensor: Tensor) -> Tensor:
    return tensor.float() if tensor.is_floating_point() else tensor


def _shape(tensor: Tensor) -> str:
    return "x".join(map(str, tensor.shape)) or "scalar"
