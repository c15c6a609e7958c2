"""What becomes of each image's map, in order, while reading, the network and delivering overlap."""

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from threading import Event
from typing import TYPE_CHECKING, Generic, TypeVar

import numpy as np
import numpy.typing as npt

from sodbench.data.images import Pixels
from sodbench.data.preprocessing import finish, prepare, stacks
from sodbench.models.baseline import Baseline
from sodbench.working_memory import WorkingMemory

if TYPE_CHECKING:
    from sodbench.models.inference import Predictor

T = TypeVar("T")
R = TypeVar("R")
QUEUE_BYTES = 2**29  # of prepared inputs, and of probabilities, that wait


@dataclass(frozen=True)
class _Prepared(Generic[T]):
    """An item with the network's input, None where no map of its batch is needed; its size H, W."""

    item: T
    tensor: npt.NDArray[np.float32] | None
    size: tuple[int, int]


def deliver_maps(
    predictor: "Predictor",
    baseline: Baseline,
    items: Iterable[T],
    *,
    name: Callable[[T], str],
    read: Callable[[T], Pixels],
    deliver: Callable[[T, Pixels], R],
    batch: int,
    made: Callable[[T], Callable[[], R] | None] = lambda _: None,
    pixels: Callable[[T], int] = lambda _: 0,
    readers: int = 2,
    writers: int = 2,
    stopped: Event | None = None,
) -> Generator[R, None, None]:
    """What `deliver` makes of each item and its map, in order.

    `read` gives an item's image (H x W x 3 uint8), and its map has that image's size; `name` is what an error
    calls it. `readers` threads read and prepare, `writers` finish and deliver, while the network computes.
    Prepared inputs wait for at most two batches (more if there are more readers), probabilities for two more,
    both within `QUEUE_BYTES`; a map is made where it is delivered, and never waits. `pixels` says how many an
    item has before it is read, so that large ones are not all decoded at once.

    `made` gives the call that delivers an item whose map exists. The network sees the same batches as if none
    existed, so that the other maps are bit-identical; a batch of which all exist is passed over.

    Maps that are finished when an error comes are delivered; `stopped` is set then. Raises InputError that
    names the first image whose map is not finite.
    """
    memory = WorkingMemory()
    output, fit = baseline.output, baseline.input.fit

    def decode(asked: tuple[T, bool]) -> _Prepared[T]:
        item, is_needed = asked
        if not is_needed:
            return _Prepared(item, None, (0, 0))
        with memory.holding(pixels(item)):
            image = read(item)
            return _Prepared(item, prepare(image, baseline.input), (image.shape[0], image.shape[1]))

    def encode(probability: npt.NDArray[np.float32], size: tuple[int, int], item: T) -> R:
        with memory.holding(size[0] * size[1]):
            return deliver(item, finish(probability, size, output.stretch, output.resample, fit))

    def batches() -> Iterator[list[tuple[T, bool]]]:
        waiting = iter(items)
        while group := list(islice(waiting, batch)):
            is_needed = any(made(item) is None for item in group)
            yield [(item, is_needed) for item in group]

    probability_bytes = 4 * max(baseline.input.height, baseline.input.width) ** 2
    input_bytes = 3 * probability_bytes * batch
    ahead = max(1, min(max(2, -(-readers // batch)), QUEUE_BYTES // input_bytes))
    most = max(batch, min(2 * max(batch, writers), QUEUE_BYTES // probability_bytes))
    with ThreadPoolExecutor(readers) as decoders, ThreadPoolExecutor(writers) as encoders:
        delivered: deque[Future[R]] = deque()
        try:
            for group in _ahead(decoders, decode, batches(), ahead):
                inputs = [one.tensor for one in group if one.tensor is not None]
                probabilities = iter(_in_order(predictor, inputs))
                for one in group:
                    probability = None if one.tensor is None else next(probabilities)
                    existing = made(one.item)
                    if existing is not None:
                        delivered.append(encoders.submit(existing))
                        continue
                    if probability is None or not np.isfinite(probability).all():
                        raise predictor.not_finite(name(one.item))
                    delivered.append(encoders.submit(encode, probability, one.size, one.item))
                while len(delivered) > most:
                    yield delivered.popleft().result()
            while delivered:
                yield delivered.popleft().result()
        except BaseException:
            if stopped is not None:
                stopped.set()
            decoders.shutdown(wait=False, cancel_futures=True)
            raise


def _in_order(predictor: "Predictor", inputs: list[npt.NDArray[np.float32]]) -> list[npt.NDArray[np.float32]]:
    """The probability of each input, in order; the network sees those of equal shape together."""
    by_index = {i: p for indices, x in stacks(inputs) for i, p in zip(indices, predictor(x), strict=True)}
    return [by_index[i] for i in range(len(inputs))]


def _ahead(
    pool: ThreadPoolExecutor, call: Callable[[T], R], groups: Iterator[list[T]], ahead: int
) -> Iterator[list[R]]:
    """`call` of every item of each group, in order, computed `ahead` groups before their use."""

    def submit(count: int) -> Iterator[list[Future[R]]]:
        return ([pool.submit(call, item) for item in group] for group in islice(groups, count))

    queue = deque(submit(ahead))
    while queue:
        queue.extend(submit(1))
        yield [future.result() for future in queue.popleft()]
