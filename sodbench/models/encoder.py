"""Which part of a network is its encoder: what recipes train with a learning rate of its own."""

from torch import nn

from sodbench.errors import unknown_names
from sodbench.models.outputs import unwrapped

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
