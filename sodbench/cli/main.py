"""The command line: builds the parser from one module per command, and turns errors into exit codes.

Exit codes: 0 done, 1 a check failed (drift, audit), 2 wrong usage or bad input, 130 interrupted.
"""

import argparse
import importlib
import os
import sys
import warnings
from collections.abc import Sequence
from typing import TextIO

from sodbench import __version__
from sodbench.cores import share_cores
from sodbench.errors import InputError, Note

# one module of sodbench.cli a command, in the order in which `sodbench --help` lists them
COMMANDS = (
    "run",
    "train",
    "predict",
    "score",
    "report",
    "check",
    "compare",
    "show",
    "protocols",
    "datasets",
    "baselines",
    "bench",
    "reproduce",
    "audit",
)


def build_parser() -> argparse.ArgumentParser:
    """The complete parser; each command's module adds its own sub-parser with `register`."""
    parser = argparse.ArgumentParser(
        prog="sodbench",
        description="The reproducible benchmark of salient object detection.",
        epilog="example: sodbench run basnet-tiny --datasets sample && sodbench report --formats markdown",
    )
    parser.add_argument("--version", action="version", version=f"sodbench {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name in COMMANDS:
        importlib.import_module(f"sodbench.cli.{name}").register(commands)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command line and returns its exit code; never shows a traceback for bad input."""
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="backslashreplace")  # file names need not be valid text
    args = build_parser().parse_args(argv)
    share_cores()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("always", Note)
            warnings.showwarning = _show_warning
            return int(args.run(args))
    except InputError as error:
        print(f"sodbench: error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("sodbench: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # `sodbench ... | head`: the reader has gone; keep the interpreter from complaining at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except OSError as error:
        # a full disk, a folder that may not be written: what was being replaced is as it was (files.py)
        where = f"{error.filename}: " if error.filename else ""
        print(f"sodbench: error: {where}{error.strerror or error}", file=sys.stderr)
        return 2


def _show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    """Prints a note in one line and any other warning as Python does."""
    if issubclass(category, Note):
        print(f"sodbench: note: {message}", file=sys.stderr)
    else:
        print(warnings.formatwarning(message, category, filename, lineno, line), end="", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
