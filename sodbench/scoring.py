"""Map files against mask files: decoded once, scored under any number of protocols, on all cores.

Decoding and the kernels release the interpreter lock, so threads are enough; the rows of the tables are in
the order of the pairs whatever the number of workers.
"""

import os
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from sodbench.data.images import read_map, read_mask
from sodbench.errors import InputError, first_of
from sodbench.metrics.mask import MaskCache, shared_masks
from sodbench.metrics.protocol import Protocol
from sodbench.metrics.scorer import ImageScores, Scorer, measure_image
from sodbench.metrics.table import ScoreTable

Pair = tuple[str, Path, Path]
AHEAD = 8  # images in flight per worker: bounds the memory, keeps the workers busy


def score_files(
    pairs: Sequence[Pair],
    protocols: Sequence[str | Path | Protocol] = ("pysodmetrics",),
    metrics: Sequence[str] | None = None,
    workers: int | None = None,
    progress: str | None = None,
    keep_curves: bool = True,
    masks: MaskCache | None = None,
) -> dict[str, ScoreTable]:
    """Scores (name, map, mask) files; returns a score table for each protocol by its name.

    `metrics` chooses families or scores (None: all that the protocol defines); `workers` is the number of
    threads (None: one a core); `progress` is the label of a progress bar on stderr (None: no bar);
    `masks` holds the work of masks for later maps (None: one cache for the process).
    Raises InputError that lists the first ten files that cannot be scored, and how many there are.
    """
    masks = masks or shared_masks()
    scorers = [Scorer(protocol, metrics, keep_curves=keep_curves, masks=masks) for protocol in protocols]
    if not pairs:
        raise InputError("nothing to score: no pair of map and mask; expected at least one")
    failed: list[str] = []
    for found in _in_order(pairs, scorers, masks, workers, progress):
        if isinstance(found, InputError):
            failed.append(str(found))
            continue
        for scorer, image in zip(scorers, found, strict=True):
            scorer.add(image)
    if failed:
        count = f"{len(failed)} of {len(pairs)} images cannot be scored: " if len(failed) > 1 else ""
        raise InputError(count + first_of(failed))
    return {scorer.protocol.name: scorer.result() for scorer in scorers}


def _in_order(
    pairs: Sequence[Pair],
    scorers: list[Scorer],
    masks: MaskCache,
    workers: int | None,
    progress: str | None,
) -> Iterator[list[ImageScores] | InputError]:
    workers = workers or len(os.sched_getaffinity(0))
    bar = None
    if progress is not None:
        from tqdm import tqdm

        bar = tqdm(total=len(pairs), desc=progress, unit="map")
    pool = ThreadPoolExecutor(workers)
    waiting: deque[Future[list[ImageScores] | InputError]] = deque()
    try:
        rest = iter(pairs)
        for pair in rest:
            waiting.append(pool.submit(_score_pair, pair, scorers, masks))
            if len(waiting) >= AHEAD * workers:
                break
        while waiting:
            found = waiting.popleft().result()
            following = next(rest, None)
            if following is not None:
                waiting.append(pool.submit(_score_pair, following, scorers, masks))
            if bar is not None:
                bar.update()
            yield found
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
        if bar is not None:
            bar.close()


def _score_pair(pair: Pair, scorers: list[Scorer], masks: MaskCache) -> list[ImageScores] | InputError:
    name, map_path, mask_path = pair
    try:
        return measure_image(read_map(map_path), read_mask(mask_path), name, scorers, masks)
    except InputError as error:
        return error
