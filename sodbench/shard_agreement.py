"""Whether shards belong together: all shards of one run, of the same data, scored in the same way."""

import warnings
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sodbench.errors import InputError, Note, first_of
from sodbench.json_text import to_json
from sodbench.results.dependencies import differences
from sodbench.results.shard_records import ShardRecord

# parts of a cell that are digests over files, and the column of a shard's images that they are made of
FILE_PARTS = {"images": "image_sha256", "masks": "mask_sha256", "maps": "map_sha256"}


def complete(shards: list[ShardRecord]) -> list[ShardRecord]:
    """All shards of one run in their order, each once.

    Raises InputError where shards are missing, or are not of one run.
    """
    what = f"{shards[0].said.name} on {shards[0].said.dataset}"
    counts = sorted({record.shard.count for record in shards})
    if len(counts) > 1:
        places = [
            f"of {count} in {next(one.folder.parent for one in shards if one.shard.count == count)}"
            for count in counts
        ]
        raise InputError(
            f"{what}: shards {' and '.join(places)} are mixed; remove the folders of all but one count"
        )
    _refuse_differing(what, shards)
    by_number: dict[int, ShardRecord] = {}
    for record in sorted(shards, key=lambda one: one.shard):
        other = by_number.setdefault(record.shard.number, record)
        if other is record:
            continue
        if other.said.files != record.said.files:
            raise InputError(
                f"{what}: shard {record.shard} is there twice, with other content: {other.folder} and"
                f" {record.folder}; remove the one that is wrong"
            )
        message = f"{what}: shard {record.shard} is there twice and counts once"
        warnings.warn(f"{message}: {other.folder}, {record.folder}", Note, stacklevel=4)
    missing = [number for number in range(1, counts[0] + 1) if number not in by_number]
    if missing:
        raise InputError(
            f"{what}: {_listed(missing)} of {counts[0]} {'is' if len(missing) == 1 else 'are'} missing: run"
            f" {'it' if len(missing) == 1 else 'them'}, as with --shard {missing[0]}/{counts[0]}, or name the"
            " reports folder that holds them too"
        )
    return list(by_number.values())


def _listed(numbers: Sequence[int]) -> str:
    if len(numbers) == 1:
        return f"shard {numbers[0]}"
    if len(numbers) > 10:
        return f"shards {first_of([str(number) for number in numbers])}"
    return f"shards {', '.join(map(str, numbers[:-1]))} and {numbers[-1]}"


@dataclass(frozen=True)
class _Facet:
    """Something that must be the same for all shards: what it is, its value, what to do where it differs."""

    what: str
    of: Callable[[ShardRecord], dict[str, str]]
    remedy: str


def _text(values: Mapping[str, Any]) -> dict[str, str]:
    known = {name: value for name, value in values.items() if value is not None}
    return {name: value if isinstance(value, str) else to_json(value) for name, value in known.items()}


def _parts(record: ShardRecord) -> dict[str, str]:
    """What the scores depend on besides the files of the shard's own images."""
    then = record.said.provenance.depends_on
    return {name: value for name, value in then.items() if name not in FILE_PARTS}


def _protocols(record: ShardRecord) -> dict[str, str]:
    """The fields and the metrics of every protocol."""
    fields: dict[str, Any] = {}
    for name, one in record.said.protocols.items():
        fields |= {f"{key} of {name}": value for key, value in one.fields.items()}
        fields[f"metrics of {name}"] = " ".join(one.metrics)
    return _text(fields)


_FACETS = (
    _Facet(
        "was scored with other package versions",
        lambda one: one.said.provenance.versions,
        "score it again with the same packages",
    ),
    _Facet(
        "was scored by another state of sodbench",
        lambda one: _text({"commit": one.said.provenance.code.get("commit")}),
        "score it again with the same code",
    ),
    _Facet(
        "is of other data",
        lambda one: _text(
            {
                "title": one.said.title,
                "images expected": one.said.expected,
                "masks": one.said.dataset_digest,
                "images": one.said.images,
                "names of the images": one.said.images_sha256,
                "limit": one.said.provenance.limit,
            }
        ),
        "score it again on the same images and masks",
    ),
    _Facet(
        "was scored otherwise",
        lambda one: {
            **_protocols(one),
            **_text(
                {
                    "image curves": one.said.image_curves,
                    "origin": one.said.provenance.origin,
                    "pattern": one.said.provenance.map_pattern,
                    "resize": one.said.provenance.map_resize,
                }
            ),
        },
        "score it again with the same options",
    ),
    _Facet(
        "is of other maps or scores",
        lambda one: {
            **_parts(one),
            **_text(
                {
                    "weights file": one.said.weights_sha256,
                    "output kind": one.said.provenance.output_kind,
                    "remote code": one.said.provenance.remote_code,
                }
            ),
        },
        "score it again with the same network, weights and options",
    ),
)


def _refuse_differing(what: str, shards: Sequence[ShardRecord]) -> None:
    """Raises InputError that names the shards which differ from most others, and in what."""
    from sodbench import __version__

    for facet in _FACETS:
        values = [to_json(facet.of(record)) for record in shards]
        most = Counter(values).most_common(1)[0][0]
        usual = shards[values.index(most)]
        differing = [record for record, value in zip(shards, values, strict=True) if value != most]
        if differing:
            first = differing[0]
            others = f"; so do {len(differing) - 1} other shards" if len(differing) > 1 else ""
            raise InputError(
                f"{what}: shard {first.shard} ({first.folder}) {facet.what} than shard {usual.shard}:"
                f" {first_of(differences(facet.of(usual), facet.of(first)), 3)}{others}; {facet.remedy}"
            )
    scored = shards[0].said.provenance.versions.get("sodbench")
    if scored != __version__:
        raise InputError(
            f"{what}: its shards were scored by sodbench {scored}, this is sodbench {__version__}; merge them"
            " with the version that scored them"
        )
