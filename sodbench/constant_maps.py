"""Maps, or masks, without any object, as a broken network or a wrong folder gives them."""

import warnings
from pathlib import Path

from sodbench.errors import InputError, Note, first_of
from sodbench.metrics.aggregate import ScoreTable


def check_not_constant(table: ScoreTable, maps: Path | str, allowed: bool) -> None:
    """Refuses a run whose maps are all constant, unless `allowed`; notes it where more than half are.

    `maps` is what messages call them: their folder, or whose they are.

    Only images count whose mask has an object and a background: for an empty mask a constant map is right.
    """
    share = table.image_facts["object_share"]
    counted = {str(name) for name in share.index[(share > 0) & (share < 1)]}
    constant = [name for name in table.constant_maps if name in counted]
    if not constant:
        return
    count = f"{len(constant)} of {len(counted)} maps" if len(counted) > 1 else "the only map"
    found = f"{maps}: {count} {'are' if len(counted) > 1 else 'is'} constant, without any salient region"
    if len(constant) == len(counted) and not allowed:
        raise InputError(
            f"{found}: the network, its weights or the folder of maps is wrong; nothing is recorded; "
            "--allow-constant records such a run"
        )
    if 2 * len(constant) > len(counted):
        warnings.warn(f"{found}: {first_of(constant, 3)}", Note, stacklevel=4)
