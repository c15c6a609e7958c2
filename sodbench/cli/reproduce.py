"""`sodbench reproduce`: does again what a committed record says, and reports which numbers agree."""

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sodbench.errors import InputError


def register(subparsers: Any) -> None:
    """Adds the command to the parser."""
    parser = subparsers.add_parser(
        "reproduce",
        help="do again what a record says, and compare",
        description="Rebuild a committed record - a training's training.json, or a run's run.json - from its "
        "recipe, seed, weights and protocols, and report which numbers agree to the bit, within a tolerance, "
        "or not. Exit code 1 if one does not.",
        epilog="example: sodbench reproduce reports/runs/basnet-tiny/sample\n"
        "         sodbench reproduce baselines/weights/basnet-tiny.training.json --out training/again",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("record", type=Path, help="training.json, run.json, or the folder that holds one")
    parser.add_argument(
        "--data-root", type=Path, metavar="DIR", help="folder that holds one folder a data set"
    )
    parser.add_argument("--out", type=Path, metavar="DIR", help="where the work goes (reproduced/<record>)")
    parser.add_argument(
        "--weights", type=Path, metavar="FILE", help="the run's weights, if they lie elsewhere now"
    )
    parser.add_argument("--maps", type=Path, metavar="DIR", help="the scored maps, if they lie elsewhere now")
    parser.add_argument(
        "--tolerance", type=float, default=1e-3, metavar="X", help="largest difference (1e-3)"
    )
    parser.add_argument("--device", help="cpu, cuda, cuda:1 (the record's)")
    parser.add_argument("--resume", action="store_true", help="go on with a training that was interrupted")
    parser.add_argument("--json", action="store_true", help="print the comparison as one JSON object")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Finds out what kind of record it is, does it again, prints the comparison."""
    import json

    record, path = _read(args.record)
    if "recipe" in record:
        said, pairs = _train_again(args, record, path)
    else:
        said, pairs = _run_again(args, record, path)
    rows = [_compare(name, old, new, args.tolerance) for name, (old, new) in pairs.items()]
    failed = [row for row in rows if row["agrees"] == "no"]
    if args.json:
        print(json.dumps({"record": str(path), "notes": said, "numbers": rows}))
    else:
        for line in said:
            print(f"note: {line}")
        for row in rows:
            print(f"{row['agrees']:12s} {row['name']:24s} {row['recorded']!s:24s} {row['now']!s}")
        print(f"{len(rows) - len(failed)} of {len(rows)} numbers agree")
    return 1 if failed else 0


def _read(path: Path) -> tuple[dict[str, Any], Path]:
    import json

    if path.is_dir():
        found = [path / name for name in ("run.json", "training.json") if (path / name).is_file()]
        if not found:
            raise InputError(f"{path}: holds neither run.json nor training.json")
        path = found[0]
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: not a readable record ({error})") from error
    if not isinstance(record, dict) or not ({"recipe", "baseline"} <= record.keys() or "protocols" in record):
        raise InputError(f"{path}: neither the record of a training nor of a run")
    return record, path


def _compare(name: str, old: Any, new: Any, tolerance: float) -> dict[str, Any]:
    """How far a recorded value and today's agree: to the bit, within the tolerance, or not."""
    if old == new:
        agrees = "to the bit"
    elif isinstance(old, float) and isinstance(new, float) and abs(old - new) <= tolerance:
        agrees = f"to {abs(old - new):.1e}"
    else:
        agrees = "no"
    return {"name": name, "recorded": old, "now": new, "agrees": agrees}


def _moved(old: Mapping[str, Any]) -> list[str]:
    """What differs between the record's surroundings and today's, in words."""
    from sodbench.results.provenance import collect

    now = collect()
    before, after = old.get("versions", {}), now["versions"]
    names = sorted(set(before) | set(after))
    changed = [f"{n} {before.get(n)} -> {after.get(n)}" for n in names if before.get(n) != after.get(n)]
    said = [f"versions differ: {', '.join(changed)}"] if changed else []
    if old.get("device", {}).get("cpu") != now["device"].get("cpu"):
        said.append(f"the processor was {old.get('device', {}).get('cpu')}, it is {now['device'].get('cpu')}")
    return said


def _run_again(
    args: argparse.Namespace, record: dict[str, Any], path: Path
) -> tuple[list[str], dict[str, tuple[Any, Any]]]:
    """Predicts (or takes the third-party maps) and scores again under the record's protocols."""
    from sodbench.cli.device import choose_device
    from sodbench.data.folder import open_dataset, pair_maps
    from sodbench.metrics.protocol import from_dict
    from sodbench.models import load_baseline
    from sodbench.prediction import predict_samples
    from sodbench.scoring import score_samples

    origin = record["provenance"]
    said = _moved(origin)
    dataset = open_dataset(record["dataset"], args.data_root)
    if "baseline" in origin:
        baseline = load_baseline(origin["baseline"])
        loaded = baseline.load(args.weights or Path(origin["weights"]))
        if loaded.weights_sha256 != record["weights_sha256"]:
            raise InputError(
                f"{loaded.weights_path}: sha256 {loaded.weights_sha256[:12]}..., the record's weights have "
                f"{str(record['weights_sha256'])[:12]}...; name the right file with --weights"
            )
        samples = dataset.samples[: origin["limit"]] if origin.get("limit") else dataset.samples
        folder = (args.out or Path("reproduced") / record["name"]) / dataset.name
        device = choose_device(args.device or origin.get("inference_device"))
        network = loaded.network.to(device)
        batch, precision = origin.get("batch"), origin.get("precision")
        pairs = predict_samples(
            network, baseline, samples, folder, batch=batch, device=device, precision=precision
        )
    else:
        folder = args.maps or Path(origin["maps"])
        pairs = pair_maps(dataset, folder, allow_missing=record["scored"] < len(dataset.samples))
    protocols = [from_dict(entry["fields"]) for entry in record["protocols"].values()]
    tables = score_samples(pairs, protocols)
    numbers: dict[str, tuple[Any, Any]] = {
        "data set digest": (record["dataset_digest"], dataset.digest()),
        "images": (record["scored"], len(pairs)),
    }
    for name, fields in record["protocols"].items():
        for metric, value in fields["scores"].items():
            numbers[f"{metric}@{name}"] = (value, float(tables[name].scores.get(metric, float("nan"))))
    return said, numbers


def _train_again(
    args: argparse.Namespace, record: dict[str, Any], path: Path
) -> tuple[list[str], dict[str, tuple[Any, Any]]]:
    """Trains again by the recorded recipe and seed; compares weights and validation scores."""
    from sodbench.training.job import train

    again = train(
        record["baseline"],
        settings=record["recipe"],
        data_root=args.data_root,
        out=args.out or Path("reproduced") / path.stem,
        device=args.device,
        resume=args.resume,
    ).record
    said = _moved(record["provenance"])
    for key in ("threads", "processes"):
        if record.get(key) != again.get(key):
            said.append(f"{key}: {record.get(key)} then, {again.get(key)} now: sums round in another order")
    numbers: dict[str, tuple[Any, Any]] = {
        "weights sha256": (record["weights"]["sha256"], again["weights"]["sha256"]),
        "best step": (record["best"]["iteration"], again["best"]["iteration"]),
    }
    for term, value in record.get("losses", {}).items():
        numbers[f"last {term}"] = (value, again["losses"].get(term))
    if "value" in record["best"]:
        numbers["best value"] = (record["best"]["value"], again["best"]["value"])
    for name, facts in record["datasets"].items():
        numbers[f"digest of {name}"] = (facts["digest"], again["datasets"].get(name, {}).get("digest"))
    return said, numbers
