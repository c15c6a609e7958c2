"""The device a command runs on."""

from sodbench.errors import InputError


def choose_device(asked: str | None) -> str:
    """The device asked for, or a GPU if there is one; raises InputError for one that is not there."""
    import torch

    if asked is None:
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(asked)
    except RuntimeError as error:
        raise InputError(f"--device {asked}: not a device; expected cpu, cuda or cuda:N") from error
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise InputError(
            f"--device {asked}: torch sees {torch.cuda.device_count()} CUDA devices; use --device cpu"
        )
    return asked
