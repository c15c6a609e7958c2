"""`sodbench datasets`: cards, downloads, audits and statistics of data sets; sets of one's own."""

import argparse
import sys
from pathlib import Path
from typing import Any

from sodbench.errors import InputError


def register(subparsers: Any) -> None:
    """Adds the command and its five sub-commands to the parser."""
    raw = argparse.RawDescriptionHelpFormatter
    parser = subparsers.add_parser(
        "datasets",
        help="cards, downloads and audits of data sets",
        description="What data sets there are, what of them is here, and whether it is what it should be.",
        epilog="example: sodbench datasets list\n"
        "         sodbench datasets fetch ecssd\n"
        "         sodbench datasets verify ecssd --write",
        formatter_class=raw,
    )
    commands = parser.add_subparsers(dest="action", metavar="ACTION", required=True)

    def action(name: str, text: str, example: str) -> argparse.ArgumentParser:
        found: argparse.ArgumentParser = commands.add_parser(
            name,
            help=text,
            description=text[0].upper() + text[1:] + ".",
            epilog=f"example: sodbench datasets {example}",
            formatter_class=raw,
        )
        found.add_argument(
            "--data-root", type=Path, metavar="DIR", help="holds one folder a set (SODBENCH_DATA)"
        )
        found.add_argument("--json", action="store_true", help="one JSON object on stdout")
        return found

    action("list", "all cards, and what of them is here", "list").set_defaults(run=run_list)

    show = action("show", "a card in full, or a figure of the set's statistics", "show ecssd --plot")
    show.add_argument("name", help="a data set")
    show.add_argument(
        "--plot", nargs="?", const=Path(), type=Path, metavar="FILE",
        help="draw objects' size, count, place, contrast (reports/datasets/NAME.png)",
    )  # fmt: skip
    show.set_defaults(run=run_show)

    fetch = action("fetch", "get sets from their mirrors, or say how to get them", "fetch ecssd duts-te")
    fetch.add_argument("names", nargs="+", metavar="NAME", help="data sets")
    fetch.add_argument("--replace", action="store_true", help="replace a set that is here in part")
    fetch.add_argument("--keep-archives", action="store_true", help="keep what was downloaded")
    fetch.set_defaults(run=run_fetch)

    verify = action(
        "verify", "audit sets: broken, unpaired, doubled, leaked, unusual files", "verify duts-te"
    )
    verify.add_argument("names", nargs="*", metavar="NAME", help="data sets (all that are here)")
    verify.add_argument(
        "--against", nargs="*", metavar="NAME", help="look for the same pictures in these (the other role's)"
    )
    verify.add_argument(
        "--maps", nargs="+", type=Path, metavar="DIR", help="audit these saliency maps instead"
    )
    verify.add_argument("--write", action="store_true", help="pin the files in ./datasets/NAME.sha256")
    verify.set_defaults(run=run_verify)

    add = action("add", "write a card for a set of your own", "add ~/pictures/birds --name birds")
    add.add_argument("folder", type=Path, metavar="DIR", help="holds the pictures and masks")
    add.add_argument("--name", required=True, help="the set's name: small letters, digits, - and _")
    add.add_argument("--title", help="what tables call it (the name)")
    add.add_argument(
        "--role", choices=("train", "test", "both"), help="what it is for (train for a split so called)"
    )
    add.add_argument(
        "--images", metavar="SUB", help="folder of the pictures inside DIR, if the guess is wrong"
    )
    add.add_argument("--masks", metavar="SUB", help="folder of the masks inside DIR")
    add.add_argument("--mask-suffix", default="", metavar="TEXT", help="what masks' names have more: _mask")
    add.add_argument("--list", type=Path, metavar="FILE", dest="names", help="only the names in this list")
    add.add_argument("--replace", action="store_true", help="write an existing card anew")
    add.set_defaults(run=run_add)


def run_list(args: argparse.Namespace) -> int:
    from dataclasses import asdict

    from sodbench.data.auditing.status import all_status
    from sodbench.data.auditing.text import status_table
    from sodbench.data.locations import data_root

    root = data_root(args.data_root)
    if args.data_root is not None and not root.path.is_dir():
        raise InputError(f"{root.path}: no such data root (chosen by {root.chosen_by})")
    found = all_status(args.data_root)
    if args.json:
        return _print_json({"data_root": str(root.path), "sets": [asdict(one) for one in found]})
    print("\n".join(status_table(found)))
    print(f"data root: {root.path} (chosen by {root.chosen_by})", file=sys.stderr)
    return 0


def run_show(args: argparse.Namespace) -> int:
    from dataclasses import asdict

    from sodbench.data.auditing.status import status_of
    from sodbench.data.auditing.text import card_lines
    from sodbench.data.card import load_card

    card = load_card(args.name)
    if args.plot is not None:
        from sodbench.data.auditing.object_statistics import statistics
        from sodbench.data.auditing.object_statistics_figure import draw_statistics
        from sodbench.data.folder import open_dataset

        path = args.plot if args.plot != Path() else Path("reports", "datasets", f"{card.name}.png")
        if path.suffix.lower() not in (".png", ".svg", ".pdf"):
            raise InputError(f"--plot {path}: expected a name that ends in .png, .svg or .pdf")
        found = statistics(open_dataset(card.name, args.data_root))
        try:
            draw_statistics(found, path)
        except OSError as error:
            raise InputError(f"{path}: cannot be written ({error.strerror}); name another --plot") from None
        if args.json:
            return _print_json(found.summary() | {"figure": str(path)})
        for name, value in found.summary().items():
            print(f"{name}: {value}")
        print(f"drawn: {path}")
        return 0
    status = status_of(card, args.data_root)
    if args.json:
        facts = asdict(card) | {"names": sorted(card.names) if card.names is not None else None}
        return _print_json({"card": facts, "status": asdict(status)})
    print("\n".join(card_lines(card, status)))
    return 0


def run_fetch(args: argparse.Namespace) -> int:
    from sodbench.data.card import load_cards
    from sodbench.data.getting.fetch import fetch
    from sodbench.data.locations import data_root

    def say(line: str) -> None:
        print(line, file=sys.stderr)

    cards = load_cards(args.names)
    root = data_root(args.data_root).path
    done, failed = [], []
    for card in cards:
        try:
            found = fetch(card, root, args.replace, args.keep_archives, progress=True, say=say)
        except InputError as error:  # the others are fetched all the same
            failed.append(str(error))
            continue
        done.append(found)
        if not args.json:
            print(f"{found.name}: {found.pairs} of {found.expected} pairs in {found.folder}")
            for line in found.log:
                print(f"  {line}")
    if args.json:
        sets = [
            {
                "name": one.name,
                "folder": str(one.folder),
                "pairs": one.pairs,
                "expected": one.expected,
                "log": one.log,
            }
            for one in done
        ]
        _print_json({"fetched": sets, "failed": failed})
    for line in failed[:-1]:
        print(f"sodbench: error: {line}", file=sys.stderr)
    if failed:
        raise InputError(failed[-1])
    return 0


def run_verify(args: argparse.Namespace) -> int:
    from sodbench.data.auditing.manifest import write_manifest
    from sodbench.data.auditing.status import all_status
    from sodbench.data.auditing.text import audit_lines
    from sodbench.data.auditing.verify import audit_set
    from sodbench.data.auditing.verify_maps import audit_maps
    from sodbench.data.card import load_cards
    from sodbench.data.folder import open_dataset

    here = (
        []
        if args.names
        else [one for one in all_status(args.data_root) if one.state not in ("absent", "unmade")]
    )
    names = args.names or [one.name for one in here]
    if not names:
        raise InputError("no data set is here to verify; name one, or a data root with --data-root")
    cards = load_cards([*names, *(args.against or [])])[: len(names)]
    if args.maps and len(cards) != 1:
        raise InputError("--maps: name the one data set that the maps are for")
    audits = []
    for card in cards:
        if args.maps:
            dataset = open_dataset(card.name, args.data_root, masks_only=True)
            audits += [audit_maps(dataset, folder) for folder in args.maps]
        else:
            audits.append(audit_set(card, args.data_root, args.against))
            if args.write:
                path = write_manifest(open_dataset(card.name, args.data_root))
                audits[-1].facts["manifest"] = f"written to {path}"
                audits[-1].findings = [entry for entry in audits[-1].findings if entry.kind != "changed"]
        if not args.json:
            for audit in audits[-len(args.maps or [0]) :]:
                print("\n".join(audit_lines(audit)))
    if args.json:
        _print_json({"audits": [audit.as_dict() for audit in audits]})
    return 1 if any(audit.problems for audit in audits) else 0


def run_add(args: argparse.Namespace) -> int:
    from sodbench.data.adding.cards import add_sets, proposals
    from sodbench.data.adding.guess import given_set, guess_sets

    if bool(args.images) != bool(args.masks):
        raise InputError("--images and --masks: give both, or none")
    if args.images:
        guesses = [given_set(args.folder, args.images, args.masks, args.mask_suffix)]
    else:
        guesses = guess_sets(args.folder)
    proposed = proposals(args.name, args.folder, guesses, args.title, args.role, args.names)
    for one in proposed:
        guess = one.guess
        print(
            f"{one.name}: guessed pictures in {guess.images}/, masks in {guess.masks}/ "
            f"({guess.why}): {guess.pairs} pairs, {guess.unmasked} pictures without a mask",
            file=sys.stderr,
        )
    counts = add_sets(proposed, args.replace)
    if args.json:
        added = [
            {"name": one.name, "card": str(one.card), "pairs": pairs}
            for one, pairs in zip(proposed, counts, strict=True)
        ]
        return _print_json({"added": added})
    for one, pairs in zip(proposed, counts, strict=True):
        print(f"{one.card}: {pairs} pairs; use it as --datasets {one.name}")
    return 0


def _print_json(content: dict[str, Any]) -> int:
    import json

    print(json.dumps(content, default=str, ensure_ascii=False))
    return 0
