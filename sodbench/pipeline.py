"""One cell as a pipeline: decoding, the network, resizing back, encoding and scoring overlap.

A map goes to scoring from memory, as its file would be read: PNG keeps every pixel. So the scores are
bit-identical whether maps are kept or not.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Event, Semaphore
from typing import TYPE_CHECKING

from sodbench.arguments import THREADS
from sodbench.cores import core_count
from sodbench.data.images import Pixels, read_image, read_map, write_map
from sodbench.data.picture_files import open_picture
from sodbench.errors import InputError
from sodbench.map_delivery import deliver_maps
from sodbench.metrics.scorer import Scorer, scorers_for
from sodbench.prediction import batch_size, images_of
from sodbench.scoring import Scored, collected, masks_of, score_pair

if TYPE_CHECKING:
    from torch import nn

    from sodbench.data.folder import Sample
    from sodbench.made_maps import MadeMaps
    from sodbench.metrics.aggregate import ScoreTable
    from sodbench.metrics.protocol import Protocol
    from sodbench.models import Baseline
    from sodbench.self_check import SelfChecker

# threads more than those that score: a thread that writes a map waits for the disk
WRITERS = 1


@dataclass(frozen=True)
class _Picture:
    """A sample of which both files are there."""

    name: str
    image: Path
    mask: Path


def predict_and_score(
    network: nn.Module,
    baseline: Baseline,
    samples: Sequence[Sample],
    made: MadeMaps | None,
    checker: SelfChecker | None = None,
    *,
    protocols: Sequence[str | Path | Protocol] = ("pysodmetrics",),
    metrics: Sequence[str] | None = None,
    batch: int | None = None,
    device: str | None = "cpu",
    precision: str | None = None,
    workers: int | None = None,
    progress: str | None = None,
    keep_curves: bool = True,
) -> dict[str, ScoreTable]:
    """Predicts and scores samples; one table per protocol, bit-identical to those of the maps' files.

    made: where the maps are written, and which of them exist (`made_maps.unfinished_maps`); None: no map is
        written.
    workers: the number of threads that score; None: one per processor core.

    The other arguments are those of `prediction.predict_samples` and `scoring.score_samples`, and so are the
    errors and notes; a sample without an image or mask is refused before any work. After an error the maps
    that are finished are written.
    """
    from sodbench.models.inference import Predictor, choose_device

    workers = core_count() if workers is None else THREADS.checked("workers", workers)
    scorers = scorers_for(protocols, metrics, keep_curves=keep_curves)
    if not samples:
        raise InputError("nothing to score: no pair of map and mask; expected at least one")
    pictures = [
        _Picture(sample.name, image, mask)
        for sample, image, mask in zip(samples, images_of(samples), masks_of(samples), strict=True)
    ]
    device = choose_device(device)
    predictor = Predictor(network, baseline, device=device, precision=precision)
    cell = _Cell(made, scorers, checker, workers)
    results = deliver_maps(
        predictor,
        baseline,
        pictures,
        name=lambda picture: str(picture.image),
        read=lambda picture: read_image(picture.image),
        deliver=cell.write_and_score,
        batch=batch_size(batch, device),
        made=cell.score_existing,
        pixels=lambda picture: _pixels(picture.image),
        readers=core_count(),
        writers=workers + WRITERS,
        stopped=cell.stopped,
    )
    with closing(_shown(results, len(pictures), progress)) as shown:
        return collected(shown, scorers, len(pictures), pictures[0].mask, checker)


class _Cell:
    """What the threads of one cell share."""

    def __init__(
        self, made: MadeMaps | None, scorers: list[Scorer], checker: SelfChecker | None, workers: int
    ) -> None:
        self.stopped = Event()
        self._made = made
        self._scorers = scorers
        self._checker = checker
        self._scoring = Semaphore(workers)

    def write_and_score(self, picture: _Picture, values: Pixels) -> Scored | InputError:
        """Writes the map, where maps are kept, and scores it."""
        if self._made is None:
            return self._scored(picture, lambda: values, picture.image)
        path = self._made.map_of(picture.name)
        self._made.add(picture.name, write_map(path, values))
        return self._scored(picture, lambda: values, path)

    def score_existing(self, picture: _Picture) -> Callable[[], Scored | InputError] | None:
        """What scores the map that an interrupted process left; None where there is none."""
        if self._made is None or picture.name not in self._made.existing:
            return None
        path = self._made.map_of(picture.name)
        return partial(self._scored, picture, partial(read_map, path), path)

    def _scored(self, picture: _Picture, read: Callable[[], Pixels], named: Path) -> Scored | InputError:
        with self._scoring:
            if self.stopped.is_set():  # nobody asks for the score any more
                return InputError(f"{named}: not scored")
            return score_pair(picture.name, read, named, picture.mask, self._scorers, None, self._checker)


def _pixels(path: Path) -> int:
    """The number of pixels that a file's header says; 0 where it cannot be read, which reading it reports."""
    try:
        with open_picture(path) as picture:
            return picture.width * picture.height
    except InputError:
        return 0


def _shown(
    results: Generator[Scored | InputError, None, None], total: int, label: str | None
) -> Generator[Scored | InputError, None, None]:
    """The results, counted by a bar on stderr with the rate and the time left, where there is a label."""
    from tqdm import tqdm

    with closing(results), tqdm(total=total, desc=label, unit="image", disable=label is None) as bar:
        for one in results:
            bar.update()
            yield one
