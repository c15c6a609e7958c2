"""Map files against mask files: decoded once, scored under any number of protocols, on all cores.

Decoding and the kernels release the interpreter lock, so threads are enough. The rows of the tables are in
the order of the pairs, whatever the number of workers.
"""

import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Protocol as Shape

from sodbench.arguments import THREADS, ResizeFilter
from sodbench.cores import core_count
from sodbench.data.folder import Sample
from sodbench.data.images import Pixels, decode_mask, read_map
from sodbench.errors import InputError, Note, first_of
from sodbench.metrics.aggregate import ScoreTable
from sodbench.metrics.image_scores import ImageScores, measure_image
from sodbench.metrics.inputs import SizeMismatchError
from sodbench.metrics.mask import MaskCache
from sodbench.metrics.protocol import Protocol
from sodbench.metrics.scorer import Scorer, scorers_for
from sodbench.self_check import SelfChecker

Pair = tuple[str, Path, Path]
CHUNK = 4  # images per task: handing a task over takes about a tenth of the time of one image
AHEAD = 4  # tasks in flight per worker: bounds the memory, keeps the workers busy


class ProgressBar(Shape):
    """A progress bar that several scorings share, such as tqdm's."""

    def update(self, n: int) -> object:
        """Adds so many maps."""


@dataclass(frozen=True)
class Scored:
    """One image under every protocol; the files that hold only 0 and 1 where 0 and 255 may be meant.

    `resized`: the map had another size than its mask, and was resized by the filter that the caller chose.
    """

    images: list[ImageScores]
    zero_one_map: Path | None
    zero_one_mask: Path | None
    resized: Path | None = None


def score_samples(
    pairs: Sequence[tuple[Sample, Path]],
    protocols: Sequence[str | Path | Protocol] = ("pysodmetrics",),
    metrics: Sequence[str] | None = None,
    *,
    workers: int | None = None,
    progress: str | ProgressBar | None = None,
    keep_curves: bool = True,
    resize: ResizeFilter | None = None,
    checker: SelfChecker | None = None,
) -> dict[str, ScoreTable]:
    """Scores samples paired with their maps (`folder.pair_maps`, `predict_samples`); one table per protocol.

    The other arguments are those of `score_files`. Raises InputError that names all samples without a mask:
    a score over fewer images than were asked for is never computed silently.
    """
    masks = masks_of([sample for sample, _ in pairs])
    files = [(sample.name, path, mask) for (sample, path), mask in zip(pairs, masks, strict=True)]
    return score_files(
        files,
        protocols,
        metrics,
        workers=workers,
        progress=progress,
        keep_curves=keep_curves,
        resize=resize,
        checker=checker,
    )


def masks_of(samples: Sequence[Sample]) -> list[Path]:
    """The masks of the samples; InputError that names all samples without one."""
    without = [sample.name for sample in samples if sample.mask is None]
    if without:
        raise InputError(f"{len(without)} of {len(samples)} images have no mask: {first_of(without)}")
    return [sample.mask for sample in samples if sample.mask is not None]


def score_files(
    pairs: Sequence[Pair],
    protocols: Sequence[str | Path | Protocol] = ("pysodmetrics",),
    metrics: Sequence[str] | None = None,
    *,
    workers: int | None = None,
    progress: str | ProgressBar | None = None,
    keep_curves: bool = True,
    resize: ResizeFilter | None = None,
    masks: MaskCache | None = None,
    checker: SelfChecker | None = None,
) -> dict[str, ScoreTable]:
    """Scores (name, map, mask) files; returns a score table for each protocol by its name.

    `metrics` chooses families or scores, under one protocol only with `@` and its name (None: all that each
    protocol defines); `workers` is the number of threads (None: one per core); `progress` is the label of a
    progress bar on stderr, or a bar that is there (None: no bar); `resize` is a filter for maps of another
    size than their mask under protocols that would refuse them; `masks` keeps the work of masks for further
    calls (None: it is not kept, which is faster for one call); `checker` is given the images that it draws,
    to score them again. Raises InputError that counts the files that cannot be scored and names the first of
    them. Notes, once each, maps and masks that hold only 0 and 1, and notes it if no mask has an object.
    """
    scorers = scorers_for(protocols, metrics, keep_curves=keep_curves, masks=masks, resize=resize)
    if not pairs:
        raise InputError("nothing to score: no pair of map and mask; expected at least one")
    results = _in_order(pairs, scorers, masks, workers, progress, checker)
    return collected(results, scorers, len(pairs), pairs[0][2], checker)


def collected(
    results: Iterable[Scored | InputError],
    scorers: Sequence[Scorer],
    total: int,
    first_mask: Path,
    checker: SelfChecker | None,
) -> dict[str, ScoreTable]:
    """The score table of each protocol by its name, of the `total` results of `score_pair` in their order.

    Raises InputError that counts the images that cannot be scored and names the first of them.
    """
    failed: list[InputError] = []
    faint: list[Path] = []
    stretched: list[Path] = []
    sized: list[Path] = []
    objects = 0
    for scored in results:
        if isinstance(scored, InputError):
            failed.append(scored)
            continue
        faint += [] if scored.zero_one_map is None else [scored.zero_one_map]
        stretched += [] if scored.zero_one_mask is None else [scored.zero_one_mask]
        sized += [] if scored.resized is None else [scored.resized]
        objects += any(image.facts[2] > 0 for image in scored.images)
        for scorer, image in zip(scorers, scored.images, strict=True):
            scorer.add(image)
    if failed:
        raise _cannot_be_scored(failed, total)
    _note_zero_one(faint, stretched, total)
    if sized:
        how = next(scorer.resizes for scorer in scorers if scorer.resizes)
        message = f"{sized[0]}: a map of another size than its mask, resized ({how})"
        warnings.warn(f"{message}; {len(sized)} of {total} maps are so", Note, stacklevel=3)
    if not objects:
        message = f"{first_mask}: an empty mask, without any object; all {total} masks are so"
        warnings.warn(f"{message}: check that these are the masks of this set", Note, stacklevel=3)
    if checker is not None:
        checker.start(scorers)
    return {scorer.protocol.name: scorer.result() for scorer in scorers}


def _note_zero_one(faint: Sequence[Path], stretched: Sequence[Path], total: int) -> None:
    if faint:
        count = f"{len(faint)} of {total} maps are so"
        message = f"{faint[0]}: a map of only 0 and 1 of 0..255, which is nearly black; {count}"
        warnings.warn(f"{message}: save maps as round(255 * probability)", Note, stacklevel=4)
    if stretched:
        count = f"{len(stretched)} of {total} masks are so"
        message = f"{stretched[0]}: a mask of only 0 and 1, read as 0 and 255; {count}"
        warnings.warn(message, Note, stacklevel=4)


def _cannot_be_scored(failed: Sequence[InputError], total: int) -> InputError:
    """One error for all files that failed; those of another size than their mask share one sentence."""
    if len(failed) == 1:
        return failed[0]
    sizes = [error for error in failed if isinstance(error, SizeMismatchError)]
    others = [str(error) for error in failed if not isinstance(error, SizeMismatchError)]
    parts = []
    if sizes:
        examples = first_of([error.sizes for error in sizes], 3)
        parts.append(
            f"{len(sizes)} maps differ in size from their masks, for example {examples} (height x width); "
            f"{sizes[0].remedy}"
        )
    if others:
        parts.append(first_of(others))
    return InputError(f"{len(failed)} of {total} images cannot be scored: {'; '.join(parts)}")


def _in_order(
    pairs: Sequence[Pair],
    scorers: list[Scorer],
    masks: MaskCache | None,
    workers: int | None,
    progress: str | ProgressBar | None,
    checker: SelfChecker | None,
) -> Iterator[Scored | InputError]:
    workers = core_count() if workers is None else THREADS.checked("workers", workers)
    own = None
    bar = None if isinstance(progress, str) else progress
    if isinstance(progress, str):
        from tqdm import tqdm

        bar = own = tqdm(total=len(pairs), desc=progress, unit="map")
    chunks = iter([pairs[i : i + CHUNK] for i in range(0, len(pairs), CHUNK)])
    pool = ThreadPoolExecutor(workers)
    try:
        waiting = deque(
            pool.submit(_score_chunk, chunk, scorers, masks, checker)
            for chunk in islice(chunks, AHEAD * workers)
        )
        while waiting:
            scored = waiting.popleft().result()
            following = next(chunks, None)
            if following is not None:
                waiting.append(pool.submit(_score_chunk, following, scorers, masks, checker))
            if bar is not None:
                bar.update(len(scored))
            yield from scored
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
        if own is not None:
            own.close()


def _score_chunk(
    chunk: Sequence[Pair], scorers: list[Scorer], masks: MaskCache | None, checker: SelfChecker | None
) -> list[Scored | InputError]:
    return [
        score_pair(name, partial(read_map, path), path, mask, scorers, masks, checker)
        for name, path, mask in chunk
    ]


def score_pair(
    name: str,
    read: Callable[[], Pixels],
    map_path: Path,
    mask_path: Path,
    scorers: Sequence[Scorer],
    masks: MaskCache | None,
    checker: SelfChecker | None,
) -> Scored | InputError:
    """One image's scores, or why it cannot be scored; `read` gives the map that messages call `map_path`."""
    try:
        mask, stretched = decode_mask(mask_path)
        saliency_map = read()
        images = measure_image(saliency_map, mask, name, scorers, masks)
    except InputError as error:
        return error
    except MemoryError:
        return InputError(f"{map_path}: not enough memory to score it; use fewer workers")
    if checker is not None:
        checker.keep(name, saliency_map, mask, scorers)
    faint = any(image.zero_one for image in images)
    differs = saliency_map.shape != mask.shape
    sized = differs and any(scorer.resizes for scorer in scorers)
    return Scored(
        images,
        map_path if faint else None,
        mask_path if stretched else None,
        map_path if sized else None,
    )
