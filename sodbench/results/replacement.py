"""Whether a new run may take the place of a record: nothing of the record may be lost that was not asked for.

It must be of the same masks and hold every image of the record; its maps must be the same files, or be
predicted from the same weights, network, settings and images. Other versions of packages do not count: the
same command may be repeated after an upgrade. What is no record is never replaced.
"""

import os
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from sodbench.data.folder import Sample
from sodbench.errors import InputError, first_of, shown
from sodbench.results.dependencies import Parts, differences, is_software, prediction_part_of
from sodbench.results.former_record import FormerRecord, former_record
from sodbench.results.loading import record_place
from sodbench.results.provenance import digest_of, maps_digest, names_digest
from sodbench.results.run import Run

RECORD_FILES = ("run.json", "scores.parquet", "curves.parquet", "image_curves.parquet")
ADVICE = "choose another --name, or replace the record with --replace"
# what a record may be replaced by: a run that loses nothing of it, anything, or a run of the same masks and
# images, whatever its maps
Replace: TypeAlias = bool | Literal["same data"]


@dataclass(frozen=True)
class NewMaps:
    """What is known of the maps of a run that is to be recorded.

    made_from: the parts that predicted maps depend on; None: the maps were made elsewhere.
    digest: gives the digest of the maps of these images, or None where one is missing. None: the maps are
    still to be predicted, or have just been.
    """

    made_from: Mapping[str, str] | None
    digest: Callable[[Sequence[str]], str | None] | None


def checked_replace(replace: object) -> Replace:
    """The argument `replace` of a function; InputError for what it cannot be."""
    if isinstance(replace, bool):
        return replace
    if replace == "same data":
        return "same data"
    raise InputError(f"replace: expected True, False or 'same data', found {shown(replace)}")


def refuse_other_files(reports: Path | str, name: str, dataset: str) -> None:
    """Raises InputError where the place of a record is taken by something else: a file, a user's folder."""
    refuse_foreign_files(record_place(reports, name, dataset), RECORD_FILES)


def refuse_foreign_files(place: Path, known: Collection[str]) -> None:
    """Raises InputError where `place` is no folder, or holds other files than the `known` ones."""
    advice = "move it away, or choose another --name or --reports"
    if not place.is_dir():
        if os.path.lexists(place):
            raise InputError(
                f"{place}: expected the folder of a record, found a file or a broken link; {advice}"
            )
        return
    try:
        names = [entry.name for entry in place.iterdir()]
    except OSError as error:
        raise InputError(f"{place}: cannot be read ({error.strerror}); {advice}") from None
    others = sorted(name for name in names if name not in known and not name.startswith("."))
    if others:
        raise InputError(f"{place}: holds {first_of(others, 3)}, which is no part of a record; {advice}")


def refuse_loss(
    reports: Path | str,
    name: str,
    dataset: str,
    *,
    digest: Callable[[], str],
    images: Sequence[str],
    maps: NewMaps | None = None,
) -> None:
    """Raises InputError where a run would replace a record of other masks, images or maps.

    name, dataset: the record, `reports/runs/<name>/<dataset>`. digest: gives the data set's digest, asked for
    only where there is a record. images: the names of the new run's images. maps: what is known of its maps;
    None: they are not compared. A folder that holds no readable record may be replaced by anything.
    """
    folder = record_place(reports, name, dataset)
    then = former_record(folder)
    if then is None:
        return
    if then.dataset_digest != digest():
        raise InputError(
            f"{folder}: holds a record of other masks than those of {dataset} here"
            f" ({then.scored} images; the data digests differ); {ADVICE}"
        )
    if len(images) < then.scored:
        raise InputError(
            f"{folder}: holds a record of {then.scored} images, the new one would hold {len(images)};"
            f" {ADVICE}"
        )
    recorded = then.images_among(images)
    missing = sorted({*(recorded or ())} - {*images})
    if missing:
        raise InputError(
            f"{folder}: holds a record of {then.scored} images, of which the new one would lack"
            f" {len(missing)}: {first_of(missing, 3)}; {ADVICE}"
        )
    problem = None if maps is None else _other_maps(then, recorded, recorded == [*images], maps)
    if problem:
        raise InputError(f"{folder}: holds a record of {problem}; {ADVICE}")


def digest_by_name(pairs: Sequence[tuple[Sample, Path]]) -> Callable[[Sequence[str]], str | None]:
    """The function `NewMaps.digest` of maps that are there, by the samples that they belong to."""
    files = {sample.name: path for sample, path in pairs}

    def digest(names: Sequence[str]) -> str | None:
        return digest_of((name, files[name]) for name in names) if files.keys() >= set(names) else None

    return digest


def maps_of(run: Run) -> NewMaps:
    """What is known of the maps of a run that has been scored."""
    if run.provenance.origin == "baseline":
        made_from = prediction_part_of(run.provenance.depends_on)
        return NewMaps(made_from or _weights(run.weights_sha256), None)

    def digest(names: Sequence[str]) -> str | None:
        if names_digest(names) == run.provenance.images_sha256:
            return run.provenance.maps_sha256
        folder = run.maps_folder()
        return None if folder is None else maps_digest(folder, names, run.provenance.map_pattern)

    return NewMaps(None, digest)


def _weights(digest: str | None) -> Parts:
    return {} if digest is None else {"weights": digest}


def _other_maps(then: FormerRecord, recorded: Sequence[str] | None, same: bool, maps: NewMaps) -> str | None:
    """What the record's maps are that the new ones are not; None where they are the same, or nobody can tell.

    recorded: the names of the record's images. same: whether the new run has these and no others.
    """
    problem = None if maps.made_from is None else _other_prediction(then, maps.made_from, same)
    if problem or maps.digest is None or recorded is None:
        return problem
    if then.maps_sha256 is None:
        unlike = then.predicted and maps.made_from is None
        return "maps that were predicted and not kept" if unlike else None
    now = maps.digest(recorded)
    if now == then.maps_sha256:
        return None
    changed = differences({"maps": then.maps_sha256}, {} if now is None else {"maps": now})
    return f"other maps ({changed[0]})"


def _other_prediction(then: FormerRecord, made_from: Mapping[str, str], same: bool) -> str | None:
    """What the record's maps are, where they were not predicted from the parts `made_from`."""
    if not then.predicted:
        return "maps that were made elsewhere, the new one would be of maps that are predicted here"
    # the digest of images is one over all of them
    ignored = {"maps"} if same else {"maps", "images"}
    parts = [part for part in (then.made_from.keys() & made_from) - ignored if not is_software(part)]
    changed = differences(
        {part: then.made_from[part] for part in parts}, {part: made_from[part] for part in parts}
    )
    if not changed:
        return None
    others = "weights" if any(one.startswith("weights:") for one in changed) else "settings"
    return f"maps of other {others} ({first_of(changed, 4)})"


def gone_with(then: FormerRecord, run: Run) -> str:
    """What is lost with a record that a run replaces, in words; empty where nothing is."""
    scores = [name for name in then.scores if name not in run.values()]
    gone = [f"the scores {first_of(scores, 4)}"] if scores else []
    if then.has_image_curves and not any(table.image_curves for table in run.tables.values()):
        gone.append("the curves of the images")
    if then.predicted and run.provenance.origin == "maps":
        gone.append("how its maps were predicted")
    now = run.provenance.maps_sha256
    if then.maps_sha256 and not run.maps_kept:
        gone.append("where its maps are")
    if then.predicted and then.scored == run.scored and now and then.maps_sha256 not in (None, now):
        software = [
            part
            for part in differences(then.made_from, prediction_part_of(run.provenance.depends_on))
            if is_software(part.partition(":")[0])
        ]
        gone.append(f"its maps, which are others now ({first_of(software, 3) or 'of the same software'})")
    return ", ".join(gone)
