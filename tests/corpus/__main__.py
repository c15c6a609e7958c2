"""`python -m tests.corpus`: runs the corpus and prints a table; `--list` names the cases."""

import argparse
import json
import os
import sys
import tempfile
from collections import Counter
from pathlib import Path

# before torch and pyarrow are imported: no threads in the process that is forked, little address space
SETTINGS = {
    "OMP_NUM_THREADS": "1",
    "MALLOC_ARENA_MAX": "2",
    "ARROW_DEFAULT_MEMORY_POOL": "system",
    "MPLBACKEND": "Agg",
}


def main() -> int:
    """Runs the chosen cases; exit code 1 if one failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.corpus", description=__doc__)
    parser.add_argument("patterns", nargs="*", help="only the cases whose names contain one of these")
    parser.add_argument("--list", action="store_true", help="name the cases and run none")
    parser.add_argument("--fast", action="store_true", help="only what every test run includes")
    parser.add_argument("--good", action="store_true", help="the good inputs instead, which must be taken")
    parser.add_argument("--serve", action="store_true", help="run the cases named on stdin, one per line")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all outcomes")
    parser.add_argument("--verbose", action="store_true", help="print what each case writes to stderr")
    args = parser.parse_args()
    if any(os.environ.get(name) != value for name, value in SETTINGS.items()):
        os.environ.update(SETTINGS)
        os.execv(
            sys.executable, [sys.executable, "-m", __spec__.name.removesuffix(".__main__"), *sys.argv[1:]]
        )

    from .cases import chosen, is_fast, others

    cases = chosen(args.patterns, args.fast)
    if args.good:
        cases = {name: case for name, case in others().items() if name.startswith("good/")}
    if args.list:
        for name, case in cases.items():
            print(f"{name:60} {'fast' if is_fast(case) else 'whole'}")
        print(f"{len(cases)} cases", file=sys.stderr)
        return 0

    from .runner import Outcome, Runner

    with tempfile.TemporaryDirectory(prefix="corpus-") as folder:
        runner = Runner(Path(folder))
        if args.serve:
            answers = os.fdopen(os.dup(1), "w")
            os.dup2(2, 1)
            known = cases | others()
            for line in sys.stdin:
                print(json.dumps(runner.run(known[line.strip()]).as_dict()), file=answers, flush=True)
            return 0
        outcomes: list[Outcome] = []
        for case in cases.values():
            outcome = runner.run(case)
            outcomes.append(outcome)
            if outcome.problems:
                print(f"FAILED {outcome.name}: {'; '.join(outcome.problems)}", flush=True)
            if args.verbose:
                print(f"  {outcome.name}: {outcome.code}, {outcome.seconds} s, {outcome.megabytes} MiB")
                print(
                    "".join(f"    {line}\n" for line in outcome.stderr.splitlines()[:6]), end="", flush=True
                )
    if args.json:
        args.json.write_text(json.dumps([one.as_dict() for one in outcomes], indent=1))
    print(table(outcomes))
    return 1 if any(one.problems for one in outcomes) else 0


def table(outcomes: "list[Outcome]") -> str:  # noqa: F821
    """Cases, passed and failed by kind, with the longest time and the most memory."""
    kinds = Counter(one.name.partition("/")[0] for one in outcomes)
    lines = [f"{'kind':16} {'cases':>6} {'passed':>7} {'failed':>7} {'longest s':>10} {'most MiB':>9}"]
    for kind, count in (*kinds.items(), ("all", len(outcomes))):
        of_kind = [one for one in outcomes if kind == "all" or one.name.startswith(f"{kind}/")]
        passed = sum(not one.problems for one in of_kind)
        longest = max((one.seconds for one in of_kind), default=0)
        most = max((one.megabytes for one in of_kind), default=0)
        lines.append(f"{kind:16} {count:6} {passed:7} {count - passed:7} {longest:10.1f} {most:9}")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
