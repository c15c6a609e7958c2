"""How long a step takes, from what earlier runs and trainings on this kind of processor took.

A record holds the seconds of predicting and scoring together, `training.json` those of a training.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sodbench.errors import InputError
from sodbench.json_text import read_json
from sodbench.results.environment import processor_name
from sodbench.results.loading import record_folders
from sodbench.results.seeds import seed_of
from sodbench.suites.suite import Method

MAPS = "maps made elsewhere"  # which are only scored: one speed for all


@dataclass
class _Sum:
    seconds: float = 0.0
    units: float = 0.0

    def add(self, seconds: float, units: float) -> None:
        self.seconds += seconds
        self.units += units

    def of(self, units: float) -> float | None:
        return self.seconds / self.units * units if self.units else None


class Speeds:
    """Seconds per image of each method and baseline, and per sample of each training, on this processor."""

    def __init__(self, reports: Path, training: Path, device: str) -> None:
        self.processor = processor_name(device)
        self._cells: dict[str, _Sum] = defaultdict(_Sum)
        self._trainings: dict[str, _Sum] = defaultdict(_Sum)
        for folder, name, _ in record_folders(reports):
            for seconds, scored, then in _taken(folder / "run.json", "scored"):
                if self._was_here(then):
                    keys = {_without_seed(name), then.get("baseline") or MAPS}
                    for key in keys:
                        self._cells[key].add(seconds, scored)
        for path in [*training.glob("*/training.json"), *training.glob("*/*/training.json")]:
            for seconds, steps, then in _taken(path, "iterations"):
                content = read_json(path)
                recipe = content.get("recipe")
                if isinstance(recipe, dict) and self._was_here(then):
                    batch = recipe.get("batch")
                    if isinstance(batch, int):
                        self._trainings[str(content.get("baseline"))].add(seconds, steps * batch)

    def cell(self, method: Method, images: int) -> float | None:
        """The seconds of predicting and scoring so many images; None where unknown."""
        keys = [method.name, MAPS if method.maps else str(method.baseline)]
        known = (self._cells[key].of(images) for key in keys if key in self._cells)
        return next((seconds for seconds in known if seconds is not None), None)

    def training(self, method: Method, samples: int) -> float | None:
        """The seconds of training with so many samples (steps times batch size); None where unknown."""
        return self._trainings[str(method.baseline)].of(samples)

    def _was_here(self, then: dict[str, Any]) -> bool:
        device = then.get("device")
        if not isinstance(device, dict):
            return False
        on_gpu = str(then.get("inference_device", "")).startswith("cuda")
        return self.processor == device.get("gpu" if on_gpu else "cpu")


def _taken(path: Path, units: str) -> Iterator[tuple[float, int, dict[str, Any]]]:
    """(seconds, number of units, provenance) of a record; nothing where it does not say."""
    try:
        content = read_json(path)
        then, count = content["provenance"], content[units]
        seconds = content.get("seconds", then["seconds"])
        if seconds > 0 and count > 0:
            yield float(seconds), int(count), then
    except (InputError, KeyError, TypeError, AttributeError, ValueError):
        return


def _without_seed(name: str) -> str:
    seeded = seed_of(name)
    return seeded[0] if seeded else name
