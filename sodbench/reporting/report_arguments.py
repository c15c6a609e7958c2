"""The command line of a report, but for its protocols and its published sources."""

from collections.abc import Sequence

from sodbench.reporting.labels import split_name
from sodbench.reporting.selection import Selection


def report_arguments(
    selection: Selection,
    *,
    formats: Sequence[str] = ("markdown",),
    intervals: bool = False,
    seeds: bool = False,
    attributes: bool = False,
    gallery: int = 6,
    figures: Sequence[str] | None = None,
) -> list[str]:
    """The arguments of `sodbench report` that are not the default; metrics without their protocol.

    >>> report_arguments(Selection(metrics=["MAE@raw", "maxF"], digits=4), figures=[])
    ['--metrics', 'MAE', 'maxF', '--figures', '--digits', '4']
    """
    arguments: list[str] = []
    for option, names in (
        ("--formats", None if list(formats) == ["markdown"] else formats),
        ("--methods", selection.methods),
        ("--datasets", selection.datasets),
        ("--metrics", _plain(selection.metrics)),
        ("--figures", figures),
    ):
        arguments += [] if names is None else [option, *names]
    if selection.digits != 3:
        arguments += ["--digits", str(selection.digits)]
    if selection.sort is not None:
        arguments += ["--sort", split_name(selection.sort)[0]]
    if gallery != 6:
        arguments += ["--gallery", str(gallery)]
    flags = {"--intervals": intervals, "--seeds": seeds, "--attributes": attributes}
    return [*arguments, *(flag for flag, chosen in flags.items() if chosen)]


def _plain(metrics: Sequence[str] | None) -> list[str] | None:
    return None if metrics is None else list(dict.fromkeys(split_name(full)[0] for full in metrics))
