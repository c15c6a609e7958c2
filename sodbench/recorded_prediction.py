"""What a record says of how its maps were predicted: names and portable paths in place of this machine's."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sodbench.paths import real_path
from sodbench.recording import Scoring

if TYPE_CHECKING:
    from sodbench.models import Baseline, LoadedNetwork
    from sodbench.results.provenance import Prediction


def prediction_of(
    loaded: LoadedNetwork,
    scoring: Scoring,
    *,
    precision: str | None,
    batch: int,
    limit: int | None,
    device: str,
) -> Prediction:
    """What a record says of how a network's maps were predicted; `precision` None is the baseline's."""
    from sodbench.results.provenance import Prediction

    recipe = loaded.baseline
    return Prediction(
        baseline=portable_baseline(recipe, scoring),
        weights=portable_weights(loaded, scoring),
        weights_sha256=loaded.weights_sha256,
        precision=(None if recipe.is_onnx else precision)
        or str(getattr(recipe.inference, device.partition(":")[0], "fp32")),
        batch=batch,
        limit=limit,
        device=device,
        output_kind=loaded.output_kind,
        provider=loaded.provider(device),
        remote_code=recipe.remote_code,
    )


def portable_weights(loaded: LoadedNetwork, scoring: Scoring) -> str | None:
    """The baseline's own file by its name alone, because it lies elsewhere on every machine."""
    path = loaded.weights_path
    if path is None:
        return None
    return path.name if path == loaded.baseline.weights_path() else _portable(path, scoring)


def portable_baseline(baseline: Baseline, scoring: Scoring) -> str:
    """What a record calls a baseline: its name, or a portable path of the file that defines it."""
    from sodbench import catalog
    from sodbench.models.transformers_folder import TRANSFORMERS

    if baseline.path is not None:
        known = catalog.entries("baselines").get(baseline.name)
        same = known is not None and real_path(known) == real_path(baseline.path)
        return baseline.name if same else _portable(baseline.path, scoring)
    if baseline.network == TRANSFORMERS:
        return str(baseline.options["model"])  # a name of the hub
    module, _, attribute = baseline.network.rpartition(":")
    return f"{_portable(Path(module), scoring)}:{attribute}" if module.endswith(".py") else baseline.network


def _portable(path: Path, scoring: Scoring) -> str:
    from sodbench.data.locations import known_roots
    from sodbench.results.recorded_paths import portable

    return portable(path, scoring.reports, known_roots(scoring.reports or Path("reports"), scoring.data_root))
