"""Splits a weights file into parts of at most 15 MB, for places that take no larger files, and joins them.

    python benchmarks/weights_parts.py split training/basnet-scratch/weights.pth parts/
    python benchmarks/weights_parts.py join parts/weights.pth.parts.json weights.pth

`weights.pth.parts.json` holds the SHA-256 of the file and of each part. Joining checks all of them and
writes the file only if it is the one that was split.
"""

import argparse
import hashlib
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from sodbench.errors import InputError
from sodbench.files import atomic_path, sha256_of, write_text

MOST = 15_000_000  # bytes of a part


def split(file: Path, folder: Path, most: int = MOST) -> Path:
    """Writes the parts of `file` and their manifest into `folder`; returns the path of the manifest."""
    if not file.is_file():
        raise InputError(f"{file}: no such file; expected a weights file to split")
    folder.mkdir(parents=True, exist_ok=True)
    parts: list[dict[str, object]] = []
    with file.open("rb") as whole:
        while content := whole.read(most):
            part = folder / f"{file.name}.{len(parts) + 1:03d}"
            with atomic_path(part) as written:
                written.write_bytes(content)
            parts.append({"file": part.name, "bytes": len(content), "sha256": _digest(content)})
    for stale in folder.glob(f"{file.name}.[0-9][0-9][0-9]"):
        if stale.name not in {part["file"] for part in parts}:
            stale.unlink()
    manifest = folder / f"{file.name}.parts.json"
    table = {"file": file.name, "bytes": file.stat().st_size, "sha256": sha256_of(file), "parts": parts}
    write_text(manifest, json.dumps(table, indent=1) + "\n")
    return manifest


def join(manifest: Path, file: Path) -> str:
    """Writes the file that the parts beside `manifest` are of; returns its SHA-256.

    Raises InputError for a part that is missing or not as it was split; nothing is written then.
    """
    try:
        table = json.loads(manifest.read_text(encoding="utf-8"))
        parts = [(manifest.parent / Path(part["file"]).name, part["sha256"]) for part in table["parts"]]
        expected = str(table["sha256"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"{manifest}: not a readable manifest ({error}); expected FILE.parts.json as `split` writes it"
        ) from error
    with atomic_path(file) as written:
        with written.open("wb") as whole:
            for part, digest in parts:
                if not part.is_file():
                    raise InputError(
                        f"{part}: this part is missing; all {len(parts)} must lie beside {manifest}"
                    )
                content = part.read_bytes()
                if (found := _digest(content)) != digest:
                    raise InputError(
                        f"{part}: SHA-256 {found[:16]}..., expected {digest[:16]}...; copy it again"
                    )
                whole.write(content)
        if (digest := sha256_of(written)) != expected:
            raise InputError(
                f"{manifest}: the joined file has SHA-256 {digest[:16]}..., expected {expected[:16]}...; "
                "split the weights again"
            )
    return expected


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(required=True, dest="command")
    one = commands.add_parser("split")
    one.add_argument("file", type=Path)
    one.add_argument("folder", type=Path)
    two = commands.add_parser("join")
    two.add_argument("manifest", type=Path)
    two.add_argument("file", type=Path)
    args = parser.parse_args()
    try:
        if args.command == "split":
            print(split(args.file, args.folder))
        else:
            print(f"{args.file}  sha256 {join(args.manifest, args.file)}")
    except InputError as error:
        print(f"sodbench: error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
