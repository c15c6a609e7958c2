"""The options that several commands share, each declared once: the same name, meaning and default everywhere.

An option that takes several values has a plural name (`--datasets`), one that takes a single value a
singular one (`--dataset`).
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeAlias

from sodbench.arguments import BATCH, DIGITS, GALLERY, SIDE, THREADS, Number

Options: TypeAlias = argparse._ActionsContainer  # a parser, or a group of its options


class Bounded(argparse.Action):
    """An option that is a number of a `kind`, within the bounds that the Python functions have."""

    def __init__(self, *arguments: Any, kind: Number | None = None, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.kind = kind

    def __call__(
        self, parser: Any, namespace: argparse.Namespace, values: Any, option_string: str | None = None
    ) -> None:
        setattr(namespace, self.dest, self.checked(values, str(option_string)))

    def checked(self, values: Any, option: str) -> Any:
        """The number or numbers; InputError names the option."""
        if self.kind is None:
            return values
        if isinstance(values, list):
            return [self.checked(value, option) for value in values]
        number = self.kind.read(values)
        return self.kind.checked(option, values if number is None else number)


def add_baseline(parser: argparse.ArgumentParser) -> None:
    """Adds the positional argument that names a baseline."""
    parser.add_argument(
        "baseline",
        help="a baseline's name (sodbench baselines list), the path of a TOML or ONNX file or a"
        " transformers folder, or module:callable",
    )


def add_weights(parser: Options, text: str = "weights instead of the baseline's own") -> None:
    """Adds `--weights FILE`."""
    parser.add_argument("--weights", type=Path, metavar="FILE", help=text)


def add_prediction(parser: argparse.ArgumentParser) -> None:
    """Adds `--batch`, `--device` and `--precision`: how maps are predicted."""
    add_batch(parser)
    add_device(parser)
    parser.add_argument(
        "--precision", choices=("fp32", "bf16", "fp16"), help="numeric precision (the baseline's)"
    )


def add_batch(parser: argparse.ArgumentParser) -> None:
    """Adds `--batch N`."""
    parser.add_argument(
        "--batch", action=Bounded, kind=BATCH, metavar="N", help="batch size (4; 16 on a GPU)"
    )


def add_device(parser: argparse.ArgumentParser, default: str = "a GPU if available") -> None:
    """Adds `--device NAME`."""
    parser.add_argument("--device", metavar="NAME", help=f"cpu, cuda or cuda:N ({default})")


def add_datasets(parser: argparse.ArgumentParser, text: str, *, required: bool = False) -> None:
    """Adds `--datasets NAME ...`."""
    parser.add_argument("--datasets", nargs="+", metavar="NAME", required=required, help=text)


def add_dataset(
    parser: argparse.ArgumentParser, text: str = "the data set: a name from 'sodbench datasets list'"
) -> None:
    """Adds `--dataset NAME`."""
    parser.add_argument("--dataset", metavar="NAME", help=text)


def add_protocols(parser: argparse.ArgumentParser, *, default: Sequence[str] | None, text: str) -> None:
    """Adds `--protocols NAME ...`; a protocol is given by its name or by the path of its TOML file."""
    parser.add_argument("--protocols", nargs="+", metavar="NAME", default=default, help=text)


def add_metrics(parser: argparse.ArgumentParser, text: str) -> None:
    """Adds `--metrics NAME ...`."""
    parser.add_argument("--metrics", nargs="+", metavar="NAME", help=text)


def add_methods(parser: argparse.ArgumentParser) -> None:
    """Adds `--methods NAME ...`."""
    parser.add_argument("--methods", nargs="+", metavar="NAME", help="only these methods")


def add_digits(parser: argparse.ArgumentParser) -> None:
    """Adds `--digits N`."""
    parser.add_argument(
        "--digits", action=Bounded, kind=DIGITS, default=3, metavar="N", help="decimal places (3)"
    )


def add_table(parser: argparse.ArgumentParser) -> None:
    """Adds the options of the table and page of recorded runs, which `table_arguments` reads."""
    add_methods(parser)
    add_datasets(parser, "only these data sets")
    add_metrics(parser, "only these metrics, e.g. MAE maxF@basnet2019")
    add_protocols(
        parser, default=None, text="protocols to show side by side: names or TOML files (pysodmetrics)"
    )
    add_digits(parser)
    parser.add_argument("--sort", metavar="METRIC", help="sort rows by a metric, or by 'name' (maxF)")
    parser.add_argument(
        "--published",
        nargs="*",
        metavar="SOURCE",
        help="add published numbers, from all sources or from these (e.g. basnet2019)",
    )
    parser.add_argument(
        "--intervals",
        action="store_true",
        help="95 %% bootstrap confidence intervals in tables and figures",
    )
    parser.add_argument(
        "--seeds",
        action="store_true",
        help="summarise runs named <method>-seed<k> as mean and standard deviation",
    )
    parser.add_argument(
        "--gallery",
        action=Bounded,
        kind=GALLERY,
        default=6,
        metavar="N",
        help="thumbnails per data set: the N worst images, the N best, and the N with the largest"
        " disagreement between methods (6)",
    )


def table_arguments(args: argparse.Namespace) -> dict[str, Any]:
    """What `add_table` has read, as arguments of `report` and `publish`."""
    names = "methods datasets metrics protocols digits sort intervals seeds gallery"
    values = {name: getattr(args, name) for name in names.split()}
    # without names: all sources
    return {**values, "published": args.published or args.published is not None}


def add_scoring(parser: argparse.ArgumentParser) -> None:
    """Adds `--protocols`, `--metrics`, `--no-image-curves`, `--no-self-check` and `--scoring-workers`."""
    add_protocols(parser, default=["pysodmetrics"], text="scoring protocols (pysodmetrics)")
    add_former(parser, "--protocol", "--protocols", nargs="+")
    add_metrics(parser, "metric families, e.g. MAE F S calibration (the protocols' standard ones)")
    parser.add_argument(
        "--no-image-curves",
        action="store_false",
        dest="image_curves",
        help="keep no curves of single images: smaller records, but no confidence intervals of max F and ECE",
    )
    parser.add_argument(
        "--no-self-check",
        action="store_false",
        dest="self_check",
        help="skip the self-check (eight images scored again by independent code); the record says so",
    )
    add_scoring_workers(parser)


def add_scoring_workers(parser: Options) -> None:
    """Adds `--scoring-workers N`."""
    parser.add_argument(
        "--scoring-workers",
        action=Bounded,
        kind=THREADS,
        metavar="N",
        help="threads that score (one per processor core)",
    )


def add_allow_constant(parser: argparse.ArgumentParser) -> None:
    """Adds `--allow-constant`."""
    parser.add_argument(
        "--allow-constant",
        action="store_true",
        help="record the run even if every map is constant",
    )


def add_attributes(parser: argparse.ArgumentParser, text: str) -> None:
    """Adds `--attributes`."""
    parser.add_argument("--attributes", action="store_true", help=text)


def add_data_root(parser: Options) -> None:
    """Adds `--data-root DIR`."""
    parser.add_argument(
        "--data-root",
        type=Path,
        metavar="DIR",
        help="folder that holds one folder per data set (SODBENCH_DATA, else the user's data folder)",
    )


def add_reports(parser: argparse.ArgumentParser) -> None:
    """Adds `--reports DIR`."""
    parser.add_argument(
        "--reports",
        type=Path,
        default=Path("reports"),
        metavar="DIR",
        help="folder of recorded runs and reports (reports)",
    )


def add_trust(parser: argparse.ArgumentParser, text: str) -> None:
    """Adds `--trust`."""
    parser.add_argument("--trust", action="store_true", help=text)


def add_size(parser: argparse.ArgumentParser) -> None:
    """Adds `--size H W`."""
    parser.add_argument(
        "--size",
        nargs=2,
        action=Bounded,
        kind=SIDE,
        metavar=("H", "W"),
        help="input size (the baseline's own)",
    )


def add_remote_code(parser: Options) -> None:
    """Adds `--trust-remote-code`."""
    parser.add_argument(
        "--trust-remote-code",
        action="store_true",
        help="run the code that comes with a transformers model",
    )


def add_replace(parser: argparse.ArgumentParser) -> None:
    """Adds `--replace`."""
    parser.add_argument(
        "--replace",
        action="store_true",
        help="replace a record of other masks, weights or maps, or of more images, under the same name",
    )


def add_no_maps(parser: argparse.ArgumentParser) -> None:
    """Adds `--no-maps`."""
    parser.add_argument(
        "--no-maps",
        dest="keep_maps",
        action="store_false",
        help="write no maps: score them from memory; the scores are the same",
    )


def add_shard(parser: argparse.ArgumentParser) -> None:
    """Adds `--shard I/N`."""
    parser.add_argument(
        "--shard",
        metavar="I/N",
        help="only the I-th of N parts of each data set, from 1/N to N/N; 'sodbench merge' joins them",
    )


def add_quiet(parser: Options) -> None:
    """Adds `--quiet`."""
    parser.add_argument("--quiet", action="store_true", help="no progress bars")


def add_json(parser: argparse.ArgumentParser) -> None:
    """Adds `--json`."""
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def add_former(parser: argparse.ArgumentParser, former: str, now: str, **options: Any) -> None:
    """Lets the former spelling of an option work for one more version, with a note on stderr."""
    parser.add_argument(
        former,
        action=_Former,
        now=now,
        dest=now.lstrip("-").replace("-", "_"),
        default=argparse.SUPPRESS,
        help=argparse.SUPPRESS,
        **options,
    )


class _Former(Bounded):
    """Stores what the option of the new spelling would store, and names that spelling."""

    def __init__(self, *arguments: Any, now: str, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.now = now

    def __call__(
        self, parser: Any, namespace: argparse.Namespace, values: Any, option_string: str | None = None
    ) -> None:
        print(
            f"sodbench: note: {option_string} is now called {self.now}; the former spelling works in this"
            " version only",
            file=sys.stderr,
        )
        super().__call__(parser, namespace, values, option_string)
