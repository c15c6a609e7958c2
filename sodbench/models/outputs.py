"""Converts the output of any network to a tuple of logits N x 1 x H x W, the final map first."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.weak import WeakTensorKeyDictionary

from sodbench.errors import InputError, unknown_names
from sodbench.models.callables import one_line
from sodbench.models.tensor_file import unfit

MapKind = Literal["logits", "probability"]

# keeps the logit of a probability of exactly 0 or 1 finite in float32
_EDGE = 1e-7
# torch's names of the functions with a bounded range, less their underscores
_SQUASHING = ("sigmoid", "hardsigmoid", "softmax", "log_softmax", "tanh", "hardtanh", "clamp")


class Logits(nn.Module):
    """Wraps a network; its state dict is the network's own, without a prefix.

    `kind`: what the network's maps are. "auto" is decided by `map_kind` on the first use, once; `kind` then
    holds the decision.
    """

    def __init__(self, network: nn.Module, kind: Literal["logits", "probability", "auto"]) -> None:
        super().__init__()
        self.network = network
        self.kind = kind

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        if self.kind == "auto":
            self.decide((x.shape[2], x.shape[3]))
        maps = self.as_returned(x)
        if self.kind == "logits":
            return maps
        return tuple(_logit(m.float()) for m in maps)

    def as_returned(self, x: Tensor) -> tuple[Tensor, ...]:
        """The maps as the network itself returns them, logits or probabilities, N x 1 x H x W each."""
        maps = tuple(_one_channel(m, x) for m in maps_of(self.network(x)))
        if not maps:
            raise InputError(f"{type(self.network).__name__} returned no maps")
        return maps

    def decide(self, size: tuple[int, int]) -> None:
        """Settles an "auto" kind for good, on a probe of `size` (height, width)."""
        if self.kind == "auto":
            self.kind = map_kind(self.network, size)

    def state_dict(self, *args: Any, **kwargs: Any) -> Any:
        return self.network.state_dict(*args, **kwargs)

    def load_state_dict(self, *args: Any, **kwargs: Any) -> Any:
        return self.network.load_state_dict(*args, **kwargs)


def as_logits(network: nn.Module, kind: Literal["logits", "probability", "auto"]) -> nn.Module:
    """The network itself where it is one of this package, else wrapped."""
    return network if is_own(network) and kind == "logits" else Logits(network, kind)


def unwrapped(network: nn.Module) -> nn.Module:
    """The network itself, out of `Logits`, torch.compile, DataParallel and DistributedDataParallel."""
    while True:
        if isinstance(network, Logits):
            network = network.network
        elif isinstance(network, nn.parallel.DistributedDataParallel | nn.DataParallel):
            network = network.module
        elif (compiled := network._modules.get("_orig_mod")) is not None:
            network = compiled
        else:
            return network


def is_own(network: nn.Module) -> bool:
    """Whether the network, out of its wrappers, is one of this package: any size, any precision."""
    return type(unwrapped(network)).__module__.startswith("sodbench.models.networks.")


def map_kind(network: nn.Module, size: tuple[int, int]) -> MapKind:
    """What the final map of `network` is, by how it computes a fixed probe of `size` (height, width).

    "probability" where every value passes a function of bounded range (sigmoid, softmax, clamp ...) after the
    last weights and lies within 0..1, or where each map reaches from 0 to 1 exactly (a network that
    stretches its maps); else "logits". Values alone would not do: an untrained network's logits may all lie
    within 0..1. The network runs once, in eval mode, in float32, whatever the mode around the call.
    """
    inner = unwrapped(network)
    first = next(inner.parameters(), torch.zeros(()))
    x = probe(2, size).to(first.device)
    training = [module for module in inner.modules() if module.training]
    inner.eval()
    tracer = _Squashed()
    try:
        with torch.inference_mode(), torch.autocast(first.device.type, enabled=False), tracer:
            maps = maps_of(inner(x.to(first.dtype) if first.is_floating_point() else x))
    except (InputError, torch.OutOfMemoryError):
        raise
    except (Exception, SystemExit) as error:  # a user's network may raise anything
        raise InputError(fails_at(type(inner).__name__, size, error)) from error
    finally:
        for module in training:
            module.training = True
    if not maps:
        raise InputError(f"{type(inner).__name__} returned no maps")
    final = maps[0].float()
    low, high = final.flatten(1).amin(1), final.flatten(1).amax(1)
    stretched = bool((low.abs() < 1e-3).all() and ((high - 1).abs() < 1e-3).all())
    # a bicubic way up overshoots a little
    within = bool((low > -0.1).all() and (high < 1.1).all())
    return "probability" if stretched or (within and tracer.holds(maps[0])) else "logits"


def fails_at(name: str, size: tuple[int, int], error: BaseException) -> str:
    """The message for a user's network that does not run at the input size."""
    return (
        f"{name}: the network fails on an input of {size[0]} x {size[1]} ({one_line(error)}); "
        "if it takes another size, give height and width in [input]"
    )


def probe(count: int, size: tuple[int, int]) -> Tensor:
    """Smooth random input, count x 3 x height x width, in the range of normalised images.

    It is the same each time.
    """
    coarse = torch.rand(count, 3, 8, 8, generator=torch.Generator().manual_seed(count))
    full = F.interpolate(coarse, size=size, mode="bicubic", align_corners=False)
    return (full - 0.45) / 0.225


class _Squashed(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Follows which tensors have passed a function of bounded range since weights or input entered them."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.tensors = WeakTensorKeyDictionary()

    def holds(self, tensor: Tensor) -> bool:
        return tensor in self.tensors

    def __torch_dispatch__(
        self,
        func: Any,
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        kwargs = kwargs or {}
        inputs = [t for t in _tensors((args, kwargs)) if t.is_floating_point()]
        name = func.overloadpacket.__name__.strip("_")
        # what has no other input (constants, `zeros_like`) holds no weights either
        squashed = name in _SQUASHING or name.endswith("_like") or all(map(self.holds, inputs))
        returned = func(*args, **kwargs)
        for tensor in _tensors(returned):
            if squashed:
                self.tensors[tensor] = True
            else:
                # it may have been written in place
                self.tensors.pop(tensor, None)  # type: ignore[no-untyped-call]
        return returned


def _tensors(value: object) -> Iterator[Tensor]:
    """Tensors in order; of a dictionary (torchvision's `{"out": ..., "aux": ...}`) the values in order."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list | tuple):
        for item in value:
            yield from _tensors(item)


def maps_of(returned: object) -> list[Tensor]:
    """The tensors that a network returned, in order; InputError for one that holds no real numbers."""
    maps = list(_tensors(returned))
    for one in maps:
        if problem := unfit(one):
            raise InputError(f"the network returned a map that is {problem}; expected real numbers")
    return maps


def _one_channel(maps: Tensor, x: Tensor) -> Tensor:
    """N x 1 x H x W at the input's size; a map without a channel dimension gets one."""
    if maps.dim() == 3:
        maps = maps[:, None]
    if maps.dim() != 4 or maps.shape[1] != 1:
        raise InputError(
            f"the network returned a map of shape {tuple(maps.shape)}; expected N x 1 x H x W (one channel)"
        )
    if maps.shape[0] != x.shape[0]:  # `len` would fix the batch size of a network that is exported
        raise InputError(f"the network returned {len(maps)} maps for {len(x)} images; expected one for each")
    if maps.shape[2:] != x.shape[2:]:
        maps = F.interpolate(maps, size=x.shape[2:], mode="bilinear", align_corners=False)
    return maps


def _logit(probability: Tensor) -> Tensor:
    """Finite for 0 and 1; NaN for what is not finite, which torch takes for 0 or 1."""
    return torch.logit(probability, eps=_EDGE).masked_fill(~torch.isfinite(probability), torch.nan)


_USUAL_ENCODERS = ("encoder", "backbone")


def encoder_parameters(network: nn.Module) -> list[nn.Parameter]:
    """The parameters of the network's encoder, in the network's order; empty where it has none.

    A network says which of its submodules form the encoder by `encoder_names`, a tuple of names ("encoder1",
    "body.stem"). Without it they are the submodules whose names begin with "encoder" or "backbone". Wrappers
    are looked through. Raises InputError for a name that is no submodule.
    """
    plain = unwrapped(network)
    names: tuple[str, ...] | None = getattr(plain, "encoder_names", None)
    if names is None:
        names = tuple(name for name, _ in plain.named_children() if name.startswith(_USUAL_ENCODERS))
    known = {name for name, _ in plain.named_modules() if name}
    if unknown := [name for name in names if name not in known]:
        raise unknown_names(f"{type(plain).__name__}.encoder_names", unknown, known)
    inside = {id(p) for name in names for p in plain.get_submodule(name).parameters()}
    return [p for p in plain.parameters() if id(p) in inside]
