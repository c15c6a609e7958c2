"""Everything that needs a GPU, in one command: is the CUDA path right, how fast is it, and a training.

    python benchmarks/gpu.py --minutes 10 --out gpu-results
    python benchmarks/gpu.py --minutes 60 --out gpu-results --data-root DATA    goes on where it was cut
    python benchmarks/gpu.py --parts parity speed --out gpu-results
    python benchmarks/gpu.py --tiny --out gpu-tiny                   all of it on a CPU, in two minutes
    python benchmarks/gpu.py --show --out gpu-results                the tables, as docs/gpu.md has them

Parts come in the order of their value. Every finished row is in `<out>/<part>.json` and `<out>/<part>.md`
at once, so a cut loses one row. Another call measures what is missing; rows of the same GPU, torch and
commit are kept. Nothing is installed or downloaded. `DATA` holds one folder per data set (DUTS-TR, ECSSD);
without it the embedded sample is used.
"""

import argparse
import os
import platform
import shutil
import sys
import time
from pathlib import Path
from typing import Any

TOP = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TOP))  # a checkout that is not installed

FIRST_MINUTES = 10  # which the parts before the training share


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=10, help="for all parts together (10)")
    parser.add_argument("--out", type=Path, required=True, help="folder of the tables and trainings")
    parser.add_argument("--data-root", type=Path, help="folder with one folder per data set")
    parser.add_argument("--parts", nargs="+", help="only these: parity speed steps checks stages trainings")
    parser.add_argument("--train-steps", type=int, default=6000, help="of each training, in all calls (6000)")
    parser.add_argument("--tiny", action="store_true", help="small sizes on the CPU, in at most two minutes")
    parser.add_argument("--show", action="store_true", help="print the tables as far as they are measured")
    args = parser.parse_args()
    began = time.monotonic()
    out = args.out.expanduser().resolve()
    os.environ.setdefault("SODBENCH_CACHE", str(out / "cache"))
    try:
        import torch
        from gpu_parts.part import Part, Records, carry_out

        parts = _parts()
    except ModuleNotFoundError as error:
        return _refused(f"the package {error.name} is not installed; gpu.py installs nothing: pip install it")
    if unknown := sorted(set(args.parts or ()) - set(parts)):
        return _refused(f"--parts {unknown[0]}: unknown; expected {', '.join(parts)}")
    if args.minutes <= 0 or args.train_steps < 1:
        return _refused("--minutes and --train-steps: expected numbers above 0")
    if args.data_root and not args.data_root.is_dir():
        return _refused(
            f"--data-root {args.data_root}: no such folder; expected one with a folder per data set"
        )
    chosen: list[Part] = [part for name, part in parts.items() if name in (args.parts or parts)]
    if args.show:
        print(tables(chosen, out), end="")
        return 0
    if not args.tiny and not torch.cuda.is_available():
        return _refused("torch finds no GPU; --tiny runs all parts on the CPU with small sizes")

    from gpu_parts.setting import Setting

    device = "cpu" if args.tiny else "cuda"
    steps = 4 if args.tiny else args.train_steps
    setting = Setting(device, out, args.data_root, args.tiny, steps)
    made_on = environment(device, args.tiny)
    out.mkdir(parents=True, exist_ok=True)
    print(f"{made_on['device']}, torch {made_on['torch']}, commit {str(made_on['commit'])[:8]}", flush=True)
    end = began + 60 * args.minutes
    shared = 60 * min(args.minutes, FIRST_MINUTES)
    share = 0.0
    try:
        for part in chosen:
            share += part.share
            last = args.tiny or args.parts or not part.share
            carry_out(part, setting, Records(part, out, made_on), end if last else began + share * shared)
            setting.kept.clear()
    finally:
        shutil.rmtree(setting.scratch, ignore_errors=True)
        (out / "tables.md").write_text(tables(list(parts.values()), out), encoding="utf-8")
    print(f"{out / 'tables.md'}: all tables, after {(time.monotonic() - began) / 60:.1f} minutes")
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


def tables(parts: list[Any], out: Path) -> str:
    """The tables of all parts in Markdown; what is not in `out` is marked as not measured."""
    from gpu_parts.part import markdown, read_table

    texts = []
    for part in parts:
        found = read_table(out / f"{part.name}.json") or {"rows": {}, "made_on": None}
        texts.append(markdown(part, found["rows"], found["made_on"]))
    return "\n".join(texts)


def _parts() -> dict[str, Any]:
    from gpu_parts import checks, parity, speed, stages, steps, trainings

    modules = (parity, speed, steps, checks, stages, trainings)
    return {module.PART.name: module.PART for module in modules}


def _refused(message: str) -> int:
    print(f"gpu.py: error: {message}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
