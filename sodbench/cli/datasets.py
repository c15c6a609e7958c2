"""`sodbench datasets`: cards, downloads, audits and statistics of data sets; cards for a user's own."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sodbench.cli import options
from sodbench.cli.output import say
from sodbench.errors import InputError
from sodbench.paths import user_path

if TYPE_CHECKING:
    from sodbench.data.auditing.audit import Audit
    from sodbench.data.card import Card

Subparsers = Any  # argparse has no public name for it


def register(subparsers: Subparsers) -> None:
    """Adds the command and its five sub-commands to the parser."""
    raw = argparse.RawDescriptionHelpFormatter
    parser = subparsers.add_parser(
        "datasets",
        help="cards, downloads and audits of data sets",
        description="List, describe, download, audit and add data sets.",
        epilog="example: sodbench datasets list\n"
        "         sodbench datasets fetch ecssd\n"
        "         sodbench datasets verify ecssd --write",
        formatter_class=raw,
    )
    commands = parser.add_subparsers(dest="action", metavar="ACTION", required=True)

    def action(name: str, text: str, example: str) -> argparse.ArgumentParser:
        sub_parser: argparse.ArgumentParser = commands.add_parser(
            name,
            help=text,
            description=text[0].upper() + text[1:] + ".",
            epilog=f"example: sodbench datasets {example}",
            formatter_class=raw,
        )
        options.add_data_root(sub_parser)
        options.add_json(sub_parser)
        return sub_parser

    action("list", "list all cards, and how much of each data set is on disk", "list").set_defaults(
        run=run_list
    )

    show = action("show", "print a card in full, or plot statistics of the data set", "show ecssd --plot")
    show.add_argument("name", help="a data set")
    show.add_argument(
        "--plot", nargs="?", const=Path(), type=Path, metavar="FILE",
        help="plot size, count, position and contrast of the objects (reports/datasets/NAME.png)",
    )  # fmt: skip
    show.set_defaults(run=run_show)

    fetch = action("fetch", "download data sets, or say how to get them", "fetch ecssd duts-te")
    fetch.add_argument("names", nargs="+", metavar="NAME", help="data sets")
    fetch.add_argument("--replace", action="store_true", help="replace an incomplete data set")
    fetch.add_argument("--keep-archives", action="store_true", help="keep the downloaded archives")
    fetch.set_defaults(run=run_fetch)

    verify = action(
        "verify", "audit data sets: broken, unpaired, duplicate, leaked or unusual files", "verify duts-te"
    )
    verify.add_argument("names", nargs="*", metavar="NAME", help="data sets (all on disk)")
    verify.add_argument(
        "--against",
        nargs="*",
        metavar="NAME",
        help="data sets to search for the same images (all of the other role)",
    )
    verify.add_argument(
        "--maps", nargs="+", type=Path, metavar="DIR", help="audit folders of saliency maps instead"
    )
    verify.add_argument("--write", action="store_true", help="write the manifest ./datasets/NAME.sha256")
    verify.set_defaults(run=run_verify)

    add = action("add", "write a card for your own data set", "add ~/pictures/birds --name birds")
    add.add_argument("folder", type=Path, metavar="DIR", help="folder with the images and masks")
    add.add_argument(
        "--name", required=True, help="name of the data set: lower-case letters, digits, - and _"
    )
    add.add_argument("--title", help="its name in tables (the name)")
    add.add_argument(
        "--role", choices=("train", "test", "both"), help="role (test; train for a split of that name)"
    )
    add.add_argument("--images", metavar="SUB", help="folder of the images inside DIR, if detection is wrong")
    add.add_argument("--masks", metavar="SUB", help="folder of the masks inside DIR")
    add.add_argument("--mask-suffix", default="", metavar="TEXT", help="suffix of the mask names, e.g. _mask")
    add.add_argument("--list", type=Path, metavar="FILE", dest="names", help="only the names in this list")
    add.add_argument("--replace", action="store_true", help="overwrite an existing card")
    add.set_defaults(run=run_add)


def run_list(args: argparse.Namespace) -> int:
    """Prints one line per data set."""
    from sodbench.data.auditing.status import available, status_lines
    from sodbench.data.locations import data_root

    root = data_root(args.data_root)
    if args.data_root is not None and not root.path.is_dir():
        raise InputError(f"{root.path}: no such data root (from {root.chosen_by})")
    statuses = available(args.data_root)
    if args.json:
        return _print_json({"data_root": str(root.path), "sets": [one.as_dict() for one in statuses]})
    print("\n".join(status_lines(statuses)))
    print(f"data root: {root.path} (from {root.chosen_by})", file=sys.stderr)
    return 0


def run_show(args: argparse.Namespace) -> int:
    """Prints a card, or draws the statistics of its set."""
    from sodbench.data.auditing.status import card_lines, status_of
    from sodbench.data.card import load_card

    card = load_card(args.name)
    if args.plot is not None:
        return _plot(args, card)
    status = status_of(card, args.data_root)
    if args.json:
        return _print_json({"card": _card_json(card), "status": status.as_dict()})
    print("\n".join(card_lines(card, status)))
    return 0


def _plot(args: argparse.Namespace, card: "Card") -> int:
    from sodbench.data.auditing.object_statistics import draw_statistics, object_statistics
    from sodbench.data.folder import open_dataset
    from sodbench.data.overwriting import refuse_overwriting

    path = args.plot if args.plot != Path() else Path("reports", "datasets", f"{card.name}.png")
    if path.suffix.lower() not in (".png", ".svg", ".pdf"):
        raise InputError(f"--plot {path}: expected a name that ends in .png, .svg or .pdf")
    dataset = open_dataset(card.name, args.data_root)
    inputs = (file for sample in dataset for file in (sample.image, sample.mask) if file is not None)
    refuse_overwriting([path], inputs, str(path.parent))
    statistics = object_statistics(dataset)
    try:
        draw_statistics(statistics, path)
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror}); name another --plot") from None
    if args.json:
        return _print_json(statistics.summary() | {"figure": str(path)})
    for name, value in statistics.summary().items():
        print(f"{name}: {value}")
    print(f"drawn: {path}")
    return 0


def run_fetch(args: argparse.Namespace) -> int:
    """Fetches the sets one by one; an error with one does not keep the others from being fetched."""
    from sodbench.data.card import load_cards
    from sodbench.data.getting.fetch import fetch
    from sodbench.data.locations import data_root

    def notify(line: str) -> None:
        print(line, file=sys.stderr)

    cards = load_cards(args.names)
    root = data_root(args.data_root).path
    fetched, failed = [], []
    for card in cards:
        try:
            one = fetch(
                card,
                root,
                replace=args.replace,
                keep_archives=args.keep_archives,
                progress=True,
                notify=notify,
            )
        except InputError as error:
            failed.append(str(error))
            continue
        fetched.append(one)
        if not args.json:
            print(f"{one.name}: {one.pairs} of {one.expected} pairs in {one.folder}")
            for line in one.log:
                print(f"  {line}")
    if args.json:
        _print_json({"fetched": fetched, "failed": failed})
    for line in failed[:-1]:
        say("error", line)
    if failed:
        raise InputError(failed[-1])
    return 0


def run_verify(args: argparse.Namespace) -> int:
    """Audits sets, or folders of maps; exit code 1 if there is a problem."""
    from sodbench.data.auditing.audit_maps import audit_maps
    from sodbench.data.auditing.status import status_of
    from sodbench.data.card import load_cards, readable_cards
    from sodbench.data.folder import open_dataset

    names = args.names or [
        card.name
        for card in readable_cards()[0]
        if status_of(card, args.data_root).state not in ("absent", "unmade")
    ]
    if not names:
        raise InputError("no data set is here to verify; name one, or a data root with --data-root")
    cards = load_cards([*names, *(args.against or [])])[: len(names)]
    if args.maps and len(cards) != 1:
        raise InputError("--maps: name the one data set that the maps are for")
    audits: list[Audit] = []
    for card in cards:
        if args.maps:
            dataset = open_dataset(card.name, args.data_root, masks_only=True)
            new = [audit_maps(dataset, folder) for folder in args.maps]
        else:
            new = [_audit(args, card)]
        audits += new
        if not args.json:
            for audit in new:
                print("\n".join(audit.lines()))
    if args.json:
        _print_json({"audits": [audit.as_dict() for audit in audits]})
    return 1 if any(audit.problems for audit in audits) else 0


def _audit(args: argparse.Namespace, card: "Card") -> "Audit":
    from sodbench.data.auditing.audit_dataset import audit_dataset
    from sodbench.data.auditing.manifest import write_manifest
    from sodbench.data.folder import open_dataset

    audit = audit_dataset(card, args.data_root, args.against)
    if args.write:
        path = write_manifest(open_dataset(card.name, args.data_root))
        audit.facts["manifest"] = f"written to {path}"
        audit.issues = [issue for issue in audit.issues if issue.kind != "changed"]
    return audit


def run_add(args: argparse.Namespace) -> int:
    """Detects the sets in a folder and writes a card for each."""
    from sodbench.data.adding.detect import detect_sets, named_set
    from sodbench.data.adding.new_cards import new_cards, write_cards

    if bool(args.images) != bool(args.masks):
        raise InputError("--images and --masks: give both, or none")
    if args.images:
        sets = [named_set(args.folder, args.images, args.masks, args.mask_suffix)]
    else:
        sets = detect_sets(args.folder)
    cards = new_cards(args.name, args.folder, sets, title=args.title, role=args.role, names=args.names)
    for card in cards:
        files = card.files
        print(
            f"{card.name}: images in {files.images}/, masks in {files.masks}/ "
            f"({files.how}): {files.pairs} pair{'s' * (files.pairs != 1)}, "
            f"{files.unmasked} image{'s' * (files.unmasked != 1)} without a mask",
            file=sys.stderr,
        )
    counts = dict(zip(cards, write_cards(cards, args.replace), strict=True))
    if args.json:
        added = [{"name": card.name, "card": card.path, "pairs": pairs} for card, pairs in counts.items()]
        return _print_json({"added": added})
    for card, pairs in counts.items():
        print(f"{card.path}: {pairs} pair{'s' * (pairs != 1)}; use it as --datasets {card.name}")
    return 0


def _card_json(card: "Card") -> dict[str, Any]:
    """The public JSON object of a card, which is flat."""
    official = card.official_names
    return {
        "name": card.name,
        "title": card.title,
        "summary": card.summary,
        "role": card.role,
        "count": card.count.pairs,
        "count_source": card.count.source,
        "folders": card.folders,
        "layouts": card.layouts,
        "aliases": card.aliases,
        "names": sorted(official) if official is not None else None,
        "names_pattern": card.names.pattern,
        "names_source": card.names.source,
        "split_of": card.split.of,
        "split_lists": card.split.lists,
        "split_hint": card.split.hint,
        "location": card.location and user_path(card.location),
        "generator": card.generator or "",
        "home": card.home.pages,
        "home_source": card.home.source,
        "mirrors": card.mirrors,
        "licence": card.terms.licence,
        "redistribution": card.terms.redistribution,
        "terms_source": card.terms.source,
        "citation": card.citation.text,
        "citation_source": card.citation.source,
        "quirks": card.quirks,
        "path": card.path,
    }


def _print_json(content: dict[str, Any]) -> int:
    from sodbench.json_text import to_json

    print(to_json(content))
    return 0
