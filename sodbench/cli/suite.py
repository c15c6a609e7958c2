"""`sodbench suite`: a paper's table from one file - list, plan, run, status, report."""

import argparse
import sys
from pathlib import Path
from typing import Any

from sodbench.arguments import LOADERS, SHARDS
from sodbench.cli import options
from sodbench.cli.output import say
from sodbench.cli.report import FORMATS
from sodbench.json_text import to_json
from sodbench.text import columns

ACTIONS = {
    "list": "list all suites",
    "plan": "print what is done, to do or impossible and why, and the time it takes",
    "run": "compute what is not done yet; exit code 1 if a step fails",
    "status": "print how far a suite is, methods by data sets",
    "report": "write the suite's table, methods by data sets",
}


def register(subparsers: Any) -> None:
    """Adds the command and its actions to the parser."""
    raw = argparse.RawDescriptionHelpFormatter
    parser = subparsers.add_parser(
        "suite",
        help="compute a paper's table from one file: methods, data sets, seeds",
        description="Suites: methods by data sets, of which each cell is computed once. Shipped ones, and"
        " your own in suites/*.toml.",
        epilog="example: sodbench suite plan basnet-table2\n"
        "         sodbench suite run quick && sodbench suite report quick",
        formatter_class=raw,
    )
    commands = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    actions = {}
    for name, text in ACTIONS.items():
        example = "sodbench suite list" if name == "list" else f"sodbench suite {name} quick"
        actions[name] = commands.add_parser(
            name,
            help=text,
            description=text[0].upper() + text[1:] + ".",
            epilog=f"example: {example}",
            formatter_class=raw,
        )
    for name, action in actions.items():
        if name != "list":
            action.add_argument("suite", metavar="NAME", help="a suite's name, or the path of its TOML file")
            _add_places(action)
        action.set_defaults(run=_RUN[name])
        if name != "report":
            options.add_json(action)
    _add_running(actions["run"])
    _add_report(actions["report"])


def _add_places(action: argparse.ArgumentParser) -> None:
    options.add_data_root(action)
    options.add_reports(action)
    action.add_argument(
        "--maps", type=Path, default=Path("maps"), metavar="DIR", help="folder of predicted maps (maps)"
    )
    action.add_argument(
        "--training",
        type=Path,
        default=Path("training"),
        metavar="DIR",
        help="folder of trained networks, one folder per suite in it (training)",
    )
    options.add_device(action)
    options.add_trust(action, "run the code of networks outside sodbench")


def _add_running(action: argparse.ArgumentParser) -> None:
    options.add_batch(action)
    options.add_scoring_workers(action)
    action.add_argument(
        "--loaders",
        action=options.Bounded,
        kind=LOADERS,
        default=1,
        metavar="N",
        help="processes that load training samples; 0: load in the main process (1)",
    )
    options.add_no_maps(action)
    options.add_shard(action)
    action.add_argument(
        "--dask",
        metavar="ADDRESS",
        help="compute on a Dask cluster: tcp://host:8786, or local for one worker process per core",
    )
    action.add_argument(
        "--shards",
        action=options.Bounded,
        kind=SHARDS,
        metavar="N",
        help="with --dask: parts of each cell (one per worker, of 64 images or more)",
    )
    options.add_replace(action)
    options.add_quiet(action)


def _add_report(action: argparse.ArgumentParser) -> None:
    action.add_argument(
        "--formats", nargs="+", choices=FORMATS, default=["markdown"], help="formats to write (markdown)"
    )
    options.add_digits(action)


def _list(args: argparse.Namespace) -> int:
    """Prints one line per suite."""
    from sodbench.suites.listing import readable_suites

    suites, problems = readable_suites()
    if args.json:
        wrong = [{"path": str(path), "problem": problem} for path, problem in problems.items()]
        entries = [
            {
                "name": suite.name,
                "title": suite.title,
                "rows": [row.name for row in suite.rows()],
                "datasets": suite.datasets,
                "path": suite.path,
            }
            for suite in suites
        ]
        print(to_json({"suites": entries, "wrong": wrong}))
        return 0
    rows = [("name", "rows", "data sets", "title")]
    for suite in suites:
        count = str(len(list(suite.rows())))
        rows.append((suite.name, count, str(len(suite.datasets)), suite.title))
    print("\n".join(columns(rows, right=(1, 2))))
    return 0


def _plan(args: argparse.Namespace) -> int:
    """Prints the plan."""
    from sodbench.suites.planner import plan_suite

    plan = plan_suite(args.suite, **_places(args))
    print(to_json(plan.as_dict()) if args.json else "\n".join(plan.lines()))
    return 0


def _status(args: argparse.Namespace) -> int:
    """Prints the states, methods by data sets."""
    from sodbench.suites.planner import plan_suite
    from sodbench.suites.status import status_lines

    plan = plan_suite(args.suite, **_places(args))
    print(to_json(plan.as_dict()) if args.json else "\n".join(status_lines(plan)))
    return 0


def _run(args: argparse.Namespace) -> int:
    """Runs the suite; prints the scores, and on stderr what became of every step."""
    from sodbench.cli.output import print_runs, results
    from sodbench.suites.running import run_suite

    done = run_suite(
        args.suite,
        **_places(args),
        batch=args.batch,
        workers=args.scoring_workers,
        loaders=args.loaders,
        keep_maps=args.keep_maps,
        shard=args.shard,
        dask=args.dask,
        shards=args.shards,
        replace=args.replace,
        progress=not args.quiet,
        tell=_tell,
    )
    if args.json:
        print(to_json({**done.as_dict(), **results(done.runs)}))
    elif args.shard:
        print(done)
    else:
        print_runs(done.runs, False)
    for one in done.failures:
        say("error", f"{one.name}: {one.state}: {one.reason}")
    return 1 if done.failures else 0


def _report(args: argparse.Namespace) -> int:
    """Writes the table; prints the path of each document, and notes on stderr."""
    from sodbench.suites.report import report_suite

    written = report_suite(args.suite, **_places(args), formats=args.formats, digits=args.digits)
    for note in written.notes:
        say("note", note)
    print(written)
    return 0


def _places(args: argparse.Namespace) -> dict[str, Any]:
    names = ("reports", "maps", "training", "data_root", "device", "trust")
    return {name: getattr(args, name) for name in names}


def _tell(line: str) -> None:
    """One line on stderr; what a signal has broken is no failure of a step."""
    from sodbench.cli.signals import stopped

    stop = stopped()
    if stop is not None:
        raise stop
    if sys.stderr is not None:
        print(line, file=sys.stderr, flush=True)


_RUN = {"list": _list, "plan": _plan, "run": _run, "status": _status, "report": _report}
