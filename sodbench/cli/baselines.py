"""`sodbench baselines`: lists, shows, exports and checks baselines, and fetches their weights."""

import argparse
import dataclasses
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from sodbench.arguments import OPSET
from sodbench.cli import options
from sodbench.cli.output import say
from sodbench.errors import InputError, Note, unknown_names
from sodbench.json_text import to_json
from sodbench.text import columns

Subparsers: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"
Command = Callable[[argparse.Namespace], int]

if TYPE_CHECKING:
    from sodbench.models.baseline import Baseline


def register(subparsers: Subparsers) -> None:
    """Adds the command and its actions to the parser."""
    parser = subparsers.add_parser(
        "baselines",
        help="list, show, fetch, export and check baselines",
        description="Networks with input, weights and recipe: shipped ones and your own, baselines/*.toml.",
        epilog="example: sodbench baselines show basnet\n"
        "         sodbench baselines fetch basnet --from https://mirror.example/basnet.pth",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)

    listing = _action(actions, "list", "list all baselines and the state of their weights", _list)
    options.add_json(listing)

    show = _action(
        actions,
        "show",
        "print a baseline as TOML: network, input, weights, recipe, with all defaults",
        _show,
    )
    show.add_argument(
        "baseline",
        help="its name, the path of its TOML or ONNX file, a transformers folder, or module:callable",
    )
    options.add_trust(show, "run the code of a network outside sodbench, to count its parameters")
    options.add_remote_code(show)
    options.add_json(show)

    fetch = _action(actions, "fetch", "fetch weights and check them", _fetch)
    fetch.add_argument(
        "baselines", nargs="+", metavar="NAME", help="baselines, or owner/name of the hub of transformers"
    )
    fetch.add_argument(
        "--from",
        dest="source",
        metavar="URL|FILE",
        help="mirror or local file to use instead of the known address",
    )
    fetch.add_argument("--force", action="store_true", help="fetch again if the weights are present")
    options.add_quiet(fetch)

    export = _action(
        actions, "export", "write a network as an ONNX file and compare its maps with torch's", _export
    )
    export.add_argument("baseline", help="its name, the path of its TOML file, or module:callable")
    export.add_argument("--to", type=Path, required=True, metavar="FILE", help="the file to write, *.onnx")
    options.add_weights(export)
    options.add_size(export)
    export.add_argument("--dynamic", action="store_true", help="let the file take images of any size")
    export.add_argument(
        "--opset",
        action=options.Bounded,
        kind=OPSET,
        metavar="N",
        help="version of ONNX's operators (torch's choice)",
    )
    export.add_argument("--force", action="store_true", help="replace a file that is there")

    check = _action(
        actions,
        "check",
        "test the network interface: shapes, batches, sizes, precisions; exit code 1 if a test fails",
        _check,
    )
    check.add_argument("baselines", nargs="*", metavar="NAME", help="baselines, or module:callable")
    check.add_argument("--all", action="store_true", help="every baseline")
    options.add_weights(check)
    options.add_size(check)
    options.add_remote_code(check)
    options.add_json(check)


def _action(actions: Subparsers, name: str, summary: str, run: Command) -> argparse.ArgumentParser:
    example = {
        "list": "",
        "show": " basnet > baselines/mine.toml",
        "fetch": " basnet",
        "export": " basnet-tiny --to basnet-tiny.onnx",
        "check": " basnet-tiny",
    }[name]
    parser = actions.add_parser(
        name,
        help=summary,
        description=summary[0].upper() + summary[1:] + ".",
        epilog=f"example: sodbench baselines {name}{example}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(run=run)
    return parser


def _list(args: argparse.Namespace) -> int:
    from sodbench.models.lookup import readable_baselines

    baselines, problems = readable_baselines()
    if args.json:
        wrong = [{"path": str(path), "problem": problem} for path, problem in problems.items()]
        _print_json({"baselines": [_summary(b) for b in baselines], "wrong": wrong})
        return 0
    rows = [(b.name, f"{b.input.height} x {b.input.width}", b.weights_state, b.title) for b in baselines]
    print("\n".join(columns([("baseline", "input", "weights", "title"), *rows])))
    say(
        "note",
        "weights are present, or come with sodbench baselines fetch NAME, or with sodbench train NAME;"
        " missing: you supply the file",
    )
    return 0


def _show(args: argparse.Namespace) -> int:
    from sodbench.models.baseline_toml import baseline_toml
    from sodbench.models.lookup import describe_baseline, load_baseline
    from sodbench.training.recipe import load_recipe

    baseline = load_baseline(args.baseline) if args.trust else describe_baseline(args.baseline)
    baseline = dataclasses.replace(baseline, trust_remote_code=args.trust_remote_code)
    option = "--trust" if baseline.model_folder is None else "--trust-remote-code"
    trusted = args.trust if baseline.model_folder is None else args.trust_remote_code
    counted = trusted or not baseline.runs_own_code
    if baseline.is_onnx:
        counted = baseline.weights_path().is_file()
    elif not counted:
        own = f"{baseline.network} is code outside sodbench, which is not run: {option} shows what it tells"
        warnings.warn(f"{baseline.name}: {own}", Note, stacklevel=2)
    recipe = (
        load_recipe(baseline.training, source=str(baseline.path or baseline.name)).as_dict()
        if baseline.training
        else {}
    )
    parameters = baseline.count_parameters() if counted else None
    facts = {**_summary(baseline), "parameters": parameters, "training": recipe}
    if args.json:
        _print_json(facts)
        return 0
    print(baseline_toml(baseline, recipe, parameters))
    return 0


def _fetch(args: argparse.Namespace) -> int:
    from sodbench.models.fetching import fetch_weights
    from sodbench.models.transformers_folder import TRANSFORMERS

    if args.source and len(args.baselines) > 1:
        raise InputError(f"--from names one file, but {len(args.baselines)} baselines are asked for")
    for baseline in _load_all(args.baselines):
        fetched = fetch_weights(baseline, args.source, args.force, progress=not args.quiet)
        digest = "as known" if fetched.known else "written next to the file, because none was known"
        if baseline.network == TRANSFORMERS:
            digest = "of the weights; the record of a run holds it"
        state = "fetched" if fetched.fresh else "already there"
        print(f"{baseline.name}: {state}: {fetched.path} ({fetched.size:,} bytes)")
        print(f"  sha256 {fetched.sha256} ({digest})")
    return 0


def _export(args: argparse.Namespace) -> int:
    from sodbench.models import load_baseline
    from sodbench.models.onnx_export import export_onnx
    from sodbench.paths import user_path

    loaded = load_baseline(args.baseline).load(args.weights)
    size = (args.size[0], args.size[1]) if args.size else None
    exported = export_onnx(
        loaded, user_path(args.to), size=size, dynamic=args.dynamic, opset=args.opset, force=args.force
    )
    shape = " x ".join(map(str, exported.shape))
    print(f"{exported.path}: {exported.size:,} bytes, opset {exported.opset}, input {shape}, float32")
    print(f"output: probability; largest difference from torch's {exported.difference:.1g}")
    return 0


def _check(args: argparse.Namespace) -> int:
    from sodbench.models import baseline_names
    from sodbench.models.contract import check_baseline

    names = baseline_names() if args.all else args.baselines
    if not names:
        raise InputError("no baseline is named; name one or more, or use --all")
    results = {}
    for baseline in _load_all(names, args.trust_remote_code):
        if args.all and baseline.is_onnx and not baseline.weights_path().is_file():
            missing = f"{baseline.name}: not checked: its ONNX file is not there ({baseline.weights_path()})"
            warnings.warn(missing, Note, stacklevel=2)
            continue
        outcomes = check_baseline(baseline, args.weights, tuple(args.size) if args.size else None)
        results[baseline.name] = outcomes
        if not args.json:
            for outcome in outcomes:
                mark = "ok    " if outcome.passed else "FAILED"
                print(f"{mark}  {baseline.name}: {outcome.check}: {outcome.detail}", flush=True)
    if args.json:
        checks = {
            name: [{"check": o.check, "passed": o.passed, "said": o.detail} for o in outcomes]
            for name, outcomes in results.items()
        }
        _print_json(checks)
    return 0 if all(o.passed for outcomes in results.values() for o in outcomes) else 1


def _load_all(names: list[str], trust_remote_code: bool = False) -> "list[Baseline]":
    """All baselines, or one error that names every unknown one."""
    from sodbench.models import baseline_names, load_baseline
    from sodbench.models.lookup import is_model
    from sodbench.models.onnx_file import is_onnx

    known = set(baseline_names())
    unknown = [
        n
        for n in names
        if n not in known and ":" not in n and not n.endswith(".toml") and not is_onnx(n) and not is_model(n)
    ]
    if unknown:
        raise unknown_names("baseline", unknown, known)
    return [load_baseline(name, trust_remote_code=trust_remote_code) for name in names]


def _summary(baseline: "Baseline") -> dict[str, Any]:
    facts = dataclasses.asdict(baseline)
    del facts["stated"]
    del facts["trust_remote_code"]
    facts["model_folder"] = str(baseline.model_folder.path) if baseline.model_folder else None
    facts["path"] = str(baseline.path) if baseline.path else None
    if baseline.weights is not None:
        facts["weights"] = {k: v for k, v in facts["weights"].items() if v is not None}
        facts["weights"]["path"] = str(baseline.weights_path())
        facts["weights"]["here"] = baseline.weights_path().is_file()
    return facts


def _print_json(content: dict[str, Any]) -> None:
    print(to_json(content, indent=2))
