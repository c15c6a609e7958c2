"""Which part of a network is its encoder: what recipes train with a learning rate of its own."""

from torch import nn

from sodbench.errors import unknown_names

# what wrappers (Logits, DistributedDataParallel, torch.compile) call the network inside
_WRAPPED = ("network", "module", "_orig_mod")
_USUAL = ("encoder", "backbone")


def encoder_parameters(network: nn.Module) -> list[nn.Parameter]:
    """The parameters of the network's encoder, in the network's order; empty where it has none.

    A network says which of its submodules form the encoder by `encoder_names`, a tuple of names ("encoder1",
    "body.stem"). Without it they are the submodules whose names begin with "encoder" or "backbone". Wrappers
    are looked through. Raises InputError for a name that is no submodule.
    """
    plain = unwrapped(network)
    names: tuple[str, ...] | None = getattr(plain, "encoder_names", None)
    if names is None:
        names = tuple(name for name, _ in plain.named_children() if name.startswith(_USUAL))
    known = {name for name, _ in plain.named_modules() if name}
    if unknown := [name for name in names if name not in known]:
        raise unknown_names(f"{type(plain).__name__}.encoder_names", unknown, known)
    inside = {id(p) for name in names for p in plain.get_submodule(name).parameters()}
    return [p for p in plain.parameters() if id(p) in inside]


def unwrapped(network: nn.Module) -> nn.Module:
    """The network itself, out of `Logits`, DistributedDataParallel and torch.compile."""
    # asked of the class and the instance alone: torch.compile's wrapper passes other attributes on
    while not (hasattr(type(network), "encoder_names") or "encoder_names" in vars(network)):
        children = dict(network.named_children())
        inner = next((children[name] for name in _WRAPPED if name in children), None)
        if inner is None or len(children) > 1 or next(network.parameters(recurse=False), None) is not None:
            break
        network = inner
    return network
