"""A CUDA device that is pretended on the CPU, so that tests run the code that only a GPU reaches.

    with pretended():
        network.to("cuda")(images.to("cuda"))

A tensor of the device is a CPU tensor of a class that says it lies on `cuda:0`. torch computes with it on
the CPU and fails where CUDA would: operands on two devices, numpy of a device's tensor, a device that is not
there, and under `use_deterministic_algorithms` functions that have no deterministic form, and matrix products
without `CUBLAS_WORKSPACE_CONFIG`. Autocast is that of the CPU, which has a list of functions of its own.

It knows nothing of streams, graphs, compiled code, several processes, speed, and what CUDA's kernels compute.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from types import SimpleNamespace
from typing import Any
from unittest import mock

import torch
import torch._dynamo  # it looks at torch's functions when it is imported, and must not see the pretended ones
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves, tree_map

NAME = "pretended CUDA device"
COUNT = 2
# they copy from one device to the other, or take indices on the CPU for values on the GPU
_ACROSS = {"copy_", "__getitem__", "__setitem__", "index_put_"}
# some of those that raise by the documentation of `use_deterministic_algorithms`
_NOT_DETERMINISTIC = {
    *("adaptive_avg_pool2d", "adaptive_max_pool2d", "avg_pool3d", "grid_sample", "nll_loss", "cross_entropy"),
    *("ctc_loss", "histc", "median", "put_", "scatter_reduce", "max_unpool2d"),
}
_PRODUCTS = {"mm", "matmul", "__matmul__", "addmm", "bmm", "baddbmm", "mv", "linear", "einsum"}
_UNTOUCHED = {"_parse_to", "_has_compatible_shallow_copy_type", "_set_grad_enabled"}


class PretendTensor(torch.Tensor):
    """A tensor of the pretended device."""

    place = torch.device("cuda", 0)

    @classmethod
    def __torch_function__(
        cls, func: Any, types: Sequence[type], args: Sequence[Any] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        return _call(func, args, kwargs or {})

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        if id(self) not in memo:
            made = self.detach().clone(memory_format=torch.preserve_format)
            is_parameter = isinstance(self, torch.nn.Parameter)
            memo[id(self)] = torch.nn.Parameter(made, self.requires_grad) if is_parameter else made
        return memo[id(self)]

    def __reduce_ex__(self, protocol: Any) -> Any:
        return self.detach().cpu().__reduce_ex__(protocol)


class _Everywhere(TorchFunctionMode):
    """Sees what makes the first tensors of the device: factories, and copies from the CPU."""

    def __torch_function__(
        self, func: Any, types: Sequence[type], args: Sequence[Any] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        return _call(func, args, kwargs or {})


def _call(func: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    """The function on the CPU, and what it returns on the device where CUDA would return it there."""
    name = getattr(func, "__name__", "")
    leaves = tree_leaves((tuple(args), kwargs))
    tensors = [leaf for leaf in leaves if isinstance(leaf, torch.Tensor)]
    here = [one for one in tensors if isinstance(one, PretendTensor)]
    asked = {leaf: place for leaf in leaves if (place := _asked(leaf, name, kwargs))}
    if name in _UNTOUCHED or not (here or asked or name in ("cuda", "pin_memory", "is_pinned")):
        with torch._C.DisableTorchFunctionSubclass():
            return func(*args, **kwargs)
    if name == "__get__":
        return _attribute(func, args[0])
    if name in ("pin_memory", "is_pinned"):
        return _pinning(name, args[0])
    place = torch.device("cuda", 0) if name == "cuda" else next(iter(asked.values()), None)
    leaves_device = name == "cpu" or (name == "to" and any(_is_cpu(leaf) for leaf in leaves))
    if name == "cuda":
        func, args, kwargs = torch.Tensor.to, (args[0], "cpu"), {}
    if here:
        _check(name, tensors, here[0])
    args, kwargs = tree_map(lambda leaf: "cpu" if _key(leaf) in asked else leaf, (tuple(args), kwargs))
    with torch._C.DisableTorchFunctionSubclass():
        returned = func(*args, **kwargs)
        if (
            name in ("to", "cpu", "cuda")
            and returned is args[0]
            and _place(returned) != (None if leaves_device else place or _place(returned))
        ):
            returned = returned.clone()
    return tree_map(lambda leaf: _moved(leaf, None if leaves_device else place or here[0].place), returned)


def _key(leaf: Any) -> Any:
    return leaf if isinstance(leaf, torch.device | str) else None


def _asked(leaf: Any, name: str, kwargs: dict[str, Any]) -> torch.device | None:
    """The pretended device that an argument names."""
    if isinstance(leaf, str) and (name == "to" or leaf == kwargs.get("device")) and leaf.startswith("cuda"):
        leaf = torch.device(leaf)
    if not isinstance(leaf, torch.device) or leaf.type != "cuda":
        return None
    if (leaf.index or 0) >= COUNT:
        raise RuntimeError("CUDA error: invalid device ordinal")
    return torch.device("cuda", leaf.index or 0)


def _is_cpu(leaf: Any) -> bool:
    return (isinstance(leaf, torch.device) and leaf.type == "cpu") or (
        isinstance(leaf, str) and leaf == "cpu"
    )


def _place(leaf: Any) -> torch.device | None:
    return leaf.place if isinstance(leaf, PretendTensor) else None


def _moved(leaf: Any, place: torch.device | None) -> Any:
    """The same tensor, of the class that its place has."""
    if isinstance(leaf, torch.Tensor) and leaf.dtype is not None:
        with torch._C.DisableTorchFunctionSubclass():
            if place is None and isinstance(leaf, PretendTensor):
                leaf.__class__ = torch.Tensor  # type: ignore[assignment]
            elif place is not None and not isinstance(leaf, PretendTensor):
                leaf.__class__ = PretendTensor
            if place is not None and leaf.place != place:  # type: ignore[attr-defined]
                leaf.place = place  # type: ignore[attr-defined]
    return leaf


def _attribute(func: Any, tensor: Any) -> Any:
    """An attribute of a tensor of the device."""
    for kind in ("cuda", "cpu"):
        if func == getattr(torch.Tensor, f"is_{kind}").__get__:
            return kind == "cuda"
    if func == torch.Tensor.device.__get__:  # type: ignore[attr-defined]
        return tensor.place
    with torch._C.DisableTorchFunctionSubclass():
        returned = func(tensor)
    return tree_map(lambda leaf: _moved(leaf, tensor.place), returned)


def _pinning(name: str, tensor: torch.Tensor) -> Any:
    if isinstance(tensor, PretendTensor):
        if name == "is_pinned":
            return False
        raise RuntimeError("cannot pin 'torch.cuda.FloatTensor' only dense CPU tensors can be pinned")
    if name == "is_pinned":
        return _is_pinned(tensor)
    copy = tensor.detach().clone()
    copy.pinned = True  # type: ignore[attr-defined]
    return copy


def _is_pinned(tensor: torch.Tensor) -> bool:
    return getattr(tensor, "pinned", False)


def _check(name: str, tensors: Sequence[torch.Tensor], first: "PretendTensor") -> None:
    """Fails as CUDA does; gradients that torch's engine made are plain tensors, so not in a backward pass."""
    if name in ("numpy", "__array__"):
        raise TypeError(f"can't convert {first.place} device type tensor to numpy. Use Tensor.cpu() first.")
    with torch._C.DisableTorchFunctionSubclass():
        others = {
            _place(one) or torch.device("cpu")
            for one in tensors
            if _place(one) != first.place and (one.dim() or _place(one))
        }
        backward = torch._C._current_graph_task_id() != -1
    if others and name not in _ACROSS and not name.startswith("__set") and not backward:
        both = " and ".join(sorted(map(str, {first.place, *others}), reverse=True))
        raise RuntimeError(f"Expected all tensors to be on the same device, but found {both} in {name}")
    if torch.are_deterministic_algorithms_enabled():
        if name in _NOT_DETERMINISTIC:
            raise RuntimeError(f"{name}_cuda does not have a deterministic implementation")
        if name in _PRODUCTS and "CUBLAS_WORKSPACE_CONFIG" not in os.environ:
            raise RuntimeError("Deterministic behavior was enabled, but this operation uses CuBLAS")


def _autocast(real: Callable[..., Any]) -> Callable[..., Any]:
    def made(device_type: str, *args: Any, **kwargs: Any) -> Any:
        return real("cpu" if device_type == "cuda" else device_type, *args, **kwargs)

    return made


class Memory:
    """What the device says of its memory, in bytes; a test may change `free`."""

    free, total = 79 * 10**9, 80 * 10**9

    @classmethod
    def info(cls, device: object = None) -> tuple[int, int]:
        return cls.free, cls.total


@contextmanager
def pretended(count: int = COUNT) -> Iterator[None]:
    """In the block torch has `count` CUDA devices."""

    def nothing(*_: object, **__: object) -> None:
        return None

    def zero(*_: object, **__: object) -> int:
        return 0

    known = {
        "is_available": lambda: True,
        "device_count": lambda: count,
        "current_device": zero,
        "get_device_name": lambda *_: NAME,
        "get_device_properties": lambda *_: SimpleNamespace(name=NAME, total_memory=Memory.total),
        "get_device_capability": lambda *_: (8, 0),
        "mem_get_info": Memory.info,
        "max_memory_allocated": zero,
        "memory_allocated": zero,
        "is_bf16_supported": lambda *_: True,
        "is_initialized": lambda: True,
        "is_current_stream_capturing": lambda: False,
        "get_rng_state": lambda *_: torch.zeros(16, dtype=torch.uint8),
        **dict.fromkeys(
            (
                *("synchronize", "set_device", "empty_cache", "reset_peak_memory_stats", "manual_seed"),
                *("manual_seed_all", "set_rng_state", "_lazy_init"),
            ),
            nothing,
        ),
    }
    overwrite = torch.__future__.get_overwrite_module_params_on_conversion()
    with ExitStack() as stack:
        for name, stand_in in known.items():
            stack.enter_context(mock.patch.object(torch.cuda, name, stand_in))
        stream = SimpleNamespace(is_capturing=lambda: False)
        stack.enter_context(mock.patch.object(torch.accelerator, "current_stream", lambda *_: stream))
        stack.enter_context(mock.patch.object(torch, "autocast", _autocast(torch.autocast)))
        stack.callback(torch.__future__.set_overwrite_module_params_on_conversion, overwrite)
        torch.__future__.set_overwrite_module_params_on_conversion(True)
        stack.enter_context(_Everywhere())
        yield
