"""Two processes that exchange their images over gloo give scores bit-identical to those of one."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from .forms import batch, saliency_metrics

HERE = Path(__file__).parent
FORMS = ("torchmetrics", "plain")


@pytest.fixture(scope="module")
def both() -> list[dict[str, Any]]:
    """What the two processes computed: one dictionary each."""
    pytest.importorskip("torchmetrics")
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    done = subprocess.run(
        [*torchrun, str(HERE / "two_processes.py"), str(HERE)],
        capture_output=True,
        text=True,
        timeout=240,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr[-3000:]
    results: list[dict[str, Any]] = json.loads(done.stdout)
    return results


def alone(indices: list[int], protocol: str = "pysodmetrics", **options: Any) -> dict[str, str]:
    """The scores of one process that sees these images in turn."""
    probabilities, masks, _ = batch(11)
    metrics = saliency_metrics("plain")(protocol, **options)
    for index in indices:
        metrics.update(probabilities[index], masks[index])
    return {name: value.item().hex() for name, value in metrics.compute().items()}


EVERY = list(range(11))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    "scenario",
    [
        "unequal pysodmetrics",
        "without names",
        "the second is idle",
        "the first is idle",
        "padded",
        "both halves",
    ],
)
def test_two_processes_are_one(both: list[dict[str, Any]], form: str, scenario: str) -> None:
    expected = alone(EVERY)
    assert expected["maxF"] != alone(EVERY[:-1])["maxF"]
    for process in both:
        assert process[f"{form} {scenario}"] == expected


@pytest.mark.parametrize("form", FORMS)
def test_each_process_holds_its_own_images_after_a_compute(both: list[dict[str, Any]], form: str) -> None:
    for process in both:
        assert process[f"{form} unequal basnet2019"] == alone(EVERY, "basnet2019")
        assert process[f"{form} first half"] == alone([0, 1, 2, 7, 8])
    assert both[0][f"{form} alone"] == alone([0, 1, 2, 3, 4, 5, 6])
    assert both[1][f"{form} alone"] == alone([7, 8, 9, 10])


@pytest.mark.parametrize("form", FORMS)
def test_without_names_what_a_sampler_repeats_counts_twice(both: list[dict[str, Any]], form: str) -> None:
    for process in both:
        assert process[f"{form} padded without names"] == alone([*EVERY, 0])


@pytest.mark.parametrize("form", FORMS)
def test_forward_gives_the_batch_of_the_process_or_of_all(both: list[dict[str, Any]], form: str) -> None:
    assert both[0][f"{form} not on step"] == alone([0, 1])
    assert both[1][f"{form} not on step"] == alone([2, 3])
    for process in both:
        assert process[f"{form} on step"] == alone([0, 1, 2, 3])


@pytest.mark.parametrize("form", FORMS)
def test_every_process_says_what_is_wrong(both: list[dict[str, Any]], form: str) -> None:
    """None of them waits for the others for ever."""
    expected = {0: "process 1 scored under another protocol", 1: "process 0 scored under another protocol"}
    for rank, process in enumerate(both):
        assert expected[rank] in process[f"{form} two protocols"]
        assert process[f"{form} nobody"].startswith("InputError: nothing to score")
