"""The command line: builds the parser from one module per command, and turns errors into exit codes.

Exit codes: 0 done, 1 a check failed (drift, audit), 2 wrong usage, bad input or any other error,
130 interrupted, 143 terminated, 141 nobody reads the output.
"""

import argparse
import importlib
import sys
import warnings
from collections.abc import Sequence
from typing import TextIO

from sodbench import __version__
from sodbench.cli.output import say
from sodbench.cli.signals import exit_code, stopped
from sodbench.cli.streams import discard, visible_streams
from sodbench.cores import share_cores
from sodbench.errors import InputError, Note

# one module of sodbench.cli a command, named by the command's last word, in the order of `sodbench --help`
COMMANDS = (
    "run",
    "train",
    "predict",
    "score",
    "merge",
    "report",
    "publish",
    "check",
    "compare",
    "show",
    "runs",
    "protocols",
    "datasets",
    "baselines",
    "bench",
    "bench sweep",
    "stress",
    "suite",
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
    parser.add_argument(
        "--debug", action="store_true", help="show the traceback of an error; also after the command"
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name in COMMANDS:
        importlib.import_module(f"sodbench.cli.{name.split()[-1]}").register(commands)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command line and returns its exit code; shows a traceback only with `--debug`."""
    with visible_streams():
        try:
            code = _run(sys.argv[1:] if argv is None else argv)
        except SystemExit as end:
            raise SystemExit(_flush() or end.code) from None
        return _flush(quiet=code == 2) or code


def _run(argv: Sequence[str]) -> int:
    words, debug = _without_debug(argv)
    try:
        args = build_parser().parse_args(_commands_joined(words))
        share_cores()
        with warnings.catch_warnings():
            warnings.simplefilter("always", Note)
            warnings.showwarning = _show_warning
            return int(args.run(args))
    except KeyboardInterrupt as stop:
        return _ended_by(stop)
    except BrokenPipeError:
        # `sodbench ... | head`: the reader has gone
        discard(sys.stdout)
        return 141
    except Exception as error:
        if debug:
            import traceback

            traceback.print_exc()
        signal = stopped()
        if signal is not None:
            return _ended_by(signal)
        if not isinstance(error, InputError):
            from sodbench.cli.defects import explain

            say("error", explain(error))
        else:
            say("error", str(error))
        return 2


def _ended_by(stop: KeyboardInterrupt) -> int:
    say("interrupted" if exit_code(stop) == 130 else "terminated")
    return exit_code(stop)


def _without_debug(argv: Sequence[str]) -> tuple[list[str], bool]:
    """The words without `--debug`, which may stand before or after the command, and whether it was there."""
    end = list(argv).index("--") if "--" in argv else len(argv)
    words = [word for word in argv[:end] if word != "--debug"]
    return [*words, *argv[end:]], len(words) < end


def _commands_joined(words: Sequence[str]) -> list[str]:
    """The words with a command of two words as one."""
    two = " ".join(words[:2])
    return [two, *words[2:]] if " " in two and two in COMMANDS else list(words)


def _flush(quiet: bool = False) -> int:
    """Hands over what was printed; the exit code if that fails, else 0. `quiet`: an error is told already."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        discard(sys.stdout)
        return 141
    except (OSError, ValueError) as error:
        discard(sys.stdout)
        if not quiet:
            say("error", f"standard output: {getattr(error, 'strerror', None) or error}")
        return 2
    return 0


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
        say("note", str(message))
    else:
        print(warnings.formatwarning(message, category, filename, lineno, line), end="", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
