"""What the scores of a run depend on, part by part, as its record holds it (`provenance.depends_on`).

`cell_key` finds the parts: of the maps (`weights`, `precision`, `images`, ...) and of their scoring (`masks`,
`protocol basnet2019`, ...).
"""

from collections.abc import Mapping

Parts = dict[str, str]
OF_PROTOCOLS = ("metrics ", "protocol ")  # how the parts begin of which each protocol has one


def prediction_part_of(parts: Mapping[str, str]) -> Parts:
    """What the maps of a recorded run depend on: its parts without those of scoring only."""
    return {
        name: value
        for name, value in parts.items()
        if not name.startswith(("masks", "resize", *OF_PROTOCOLS))
    }


def without_further_protocols(then: Mapping[str, str], wanted: Mapping[str, str]) -> Parts:
    """The parts of a record without those of protocols that are not wanted: `report --rescore` adds such."""
    return {
        name: value for name, value in then.items() if name in wanted or not name.startswith(OF_PROTOCOLS)
    }


def is_software(part: str) -> bool:
    """Whether a part names what computes, and not what is computed: packages, and the code of sodbench."""
    return part == "prediction code" or part.startswith("package ")


def differences(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """The parts in which two cells differ, in words: `weights: 3f2a91bc07de..., was 0c44...`."""
    found = []
    for name in sorted({*before, *now}):
        then, value = before.get(name), now.get(name)
        if then != value:
            found.append(f"{name}: {_shown(value)}, was {_shown(then)}")
    return found


def _shown(value: str | None) -> str:
    if value is None:
        return "not there"
    is_digest = len(value) == 64 and not set(value) - set("0123456789abcdef")
    return f"{value[:12]}..." if is_digest else value
