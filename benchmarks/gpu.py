"""Everything that needs a GPU, in one command: is the CUDA path right, how fast is it, and a training.

    python benchmarks/gpu.py --minutes 10 --out gpu-results
    python benchmarks/gpu.py --minutes 60 --out gpu-results --data-root DATA    goes on where it was cut
    python benchmarks/gpu.py --parts parity speed --out gpu-results
    python benchmarks/gpu.py --tiny --out gpu-tiny                   all of it on a CPU, in two minutes
    python benchmarks/gpu.py --show --out gpu-results                the tables, as docs/gpu.md has them

Parts come in the order of their value. Every finished row is in `<out>/<part>.json` and `<out>/tables.md`
at once, so a cut loses one row. A row that ends the process, or hangs, costs that row only. Another call
measures what is missing; rows of the same GPU, torch and commit are kept. Nothing is installed or downloaded.
`DATA` holds one folder per data set (DUTS-TR, ECSSD); without it the embedded sample is used.
"""

import argparse
import importlib
import os
import platform
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

TOP = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TOP))  # a checkout that is not installed

from gpu_parts.processes import end_all  # noqa: E402
from gpu_parts.supervision import end_with_parent, supervise, told  # noqa: E402

PARTS = ("parity", "speed", "steps", "checks", "stages", "trainings")
FIRST_MINUTES = 10  # which the parts before the training share


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=10, help="for all parts together (10)")
    parser.add_argument("--out", type=Path, required=True, help="folder of the tables and trainings")
    parser.add_argument("--data-root", type=Path, help="folder with one folder per data set")
    parser.add_argument("--parts", nargs="+", help=f"only these: {' '.join(PARTS)}")
    parser.add_argument("--train-steps", type=int, default=6000, help="of each training, in all calls (6000)")
    parser.add_argument("--tiny", action="store_true", help="small sizes on the CPU, in at most two minutes")
    parser.add_argument("--show", action="store_true", help="print the tables as far as they are measured")
    args = parser.parse_args()
    if message := told():
        end_with_parent(end_all)
    out = args.out.expanduser().resolve()
    if unknown := sorted(set(args.parts or ()) - set(PARTS)):
        return _refused(f"--parts {unknown[0]}: unknown; expected {', '.join(PARTS)}")
    if args.minutes <= 0 or args.train_steps < 1:
        return _refused("--minutes and --train-steps: expected numbers above 0")
    if args.data_root and not args.data_root.is_dir():
        return _refused(
            f"--data-root {args.data_root}: no such folder; expected one with a folder per data set"
        )
    os.environ.setdefault("SODBENCH_CACHE", str(out / "cache"))
    if message is None and not args.show:
        return supervise(out, [sys.executable, str(Path(__file__).resolve()), *sys.argv[1:]])
    try:
        return _show(args, out) if message is None else measure(args, out, message)
    except ModuleNotFoundError as error:
        return _refused(f"the package {error.name} is not installed; gpu.py installs nothing: pip install it")


def measure(args: argparse.Namespace, out: Path, message: Mapping[str, Any]) -> int:
    """Measures the rows that are not there yet, in the process that `supervise` has started."""
    import torch
    from gpu_parts.part import Records, carry_out
    from gpu_parts.setting import Setting

    parts = _parts()
    if not args.tiny and not torch.cuda.is_available():
        return _refused("torch finds no GPU; --tiny runs all parts on the CPU with small sizes")
    device = "cpu" if args.tiny else "cuda"
    steps = 4 if args.tiny else args.train_steps
    scratch = Path(message["scratch"])
    setting = Setting(device, out, scratch, args.data_root, args.tiny, steps, ended=message["ended"])
    made_on = environment(device, args.tiny)
    out.mkdir(parents=True, exist_ok=True)
    print(f"{made_on['device']}, torch {made_on['torch']}, commit {str(made_on['commit'])[:8]}", flush=True)
    end = message["began"] + 60 * args.minutes
    shared = 60 * min(args.minutes, FIRST_MINUTES)
    share = 0.0
    for part in parts:
        if args.parts and part.name not in args.parts:
            continue
        share += part.share
        last = args.tiny or args.parts or not part.share
        records = Records(part, out, made_on, parts)
        carry_out(part, setting, records, end if last else message["began"] + share * shared)
        setting.kept.clear()
    print(f"{out / 'tables.md'}: all tables, after {(time.monotonic() - message['began']) / 60:.1f} minutes")
    return 0


def _show(args: argparse.Namespace, out: Path) -> int:
    from gpu_parts.part import tables

    print(tables([part for part in _parts() if part.name in (args.parts or PARTS)], out), end="")
    return 0


def environment(device: str, tiny: bool) -> dict[str, Any]:
    """What rows must have in common to stand in one table."""
    import torch

    from sodbench.results.environment import code_state, processor_name

    state = code_state()
    return {
        "device": processor_name(device),
        "gpus": torch.cuda.device_count() if device == "cuda" else 0,
        "torch": torch.__version__,
        "cuda": torch.version.cuda if device == "cuda" else None,
        "cudnn": torch.backends.cudnn.version() if device == "cuda" else None,
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "commit": f"{state['commit']}{'-changed' if state['dirty'] else ''}",
        "tiny": tiny,
    }


def _parts() -> list[Any]:
    return [importlib.import_module(f"gpu_parts.{name}").PART for name in PARTS]


def _refused(message: str) -> int:
    print(f"gpu.py: error: {message}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
