"""The provenance of a run in words, for `sodbench runs show` and the page."""

from collections.abc import Iterator
from pathlib import Path

from sodbench.results.run import Run


def provenance_lines(run: Run, here: bool = False) -> Iterator[tuple[str, str]]:
    """Pairs of a name and a text.

    With `here`, folders are those of this machine; else they are as the record has them, relative to the data
    root or the reports folder.
    """
    then = run.provenance
    if then.former_names:
        yield "former names", ", ".join(then.former_names)
    yield "scored", f"{then.started or 'not recorded'}, took {then.seconds} s"
    yield "command", " ".join(then.command) or "not recorded"
    commit = str(then.code.get("commit") or "not recorded")[:12] + " (modified)" * bool(
        then.code.get("dirty")
    )
    yield "code", f"sodbench {then.versions.get('sodbench', '?')}, commit {commit}"
    if then.origin == "baseline":
        settings = [then.precision, f"batch size {then.batch}" if then.batch else None, then.inference_device]
        yield "predicted by", ", ".join(str(one) for one in (then.baseline, *settings) if one)
        yield "weights", f"{then.weights or 'its own'}, sha256 {run.weights_sha256 or 'not recorded'}"
    else:
        yield "predicted by", "maps made elsewhere"
    yield "maps", _place(then.maps, run.maps_folder() if here else None) if run.maps_kept else "not kept"
    yield "maps sha256", then.maps_sha256 or "not recorded"
    yield "data set", _place(then.data_folder, run.data_folder() if here else None)
    yield "data digest", run.dataset_digest
    yield "self-check", str(then.self_check or "not recorded")
    if then.shards:
        yield "shards", str(len(then.shards))
    packages = [f"{name} {version}" for name, version in then.versions.items() if name != "sodbench"]
    yield "packages", ", ".join(packages) or "not recorded"
    device = [f"{value} cores" if key == "cores" else str(value) for key, value in then.device.items()]
    yield "device", ", ".join(device) or "not recorded"


def _place(recorded: str | None, here: Path | None) -> str:
    if recorded is None or here is None:
        return recorded or "not recorded"
    return str(here) if here.is_dir() else f"{here} (not available)"
