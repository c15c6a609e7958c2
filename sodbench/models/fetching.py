"""Fetches a baseline's weights: from its Drive or web address, from a mirror, or from a local file.

A file is put in its place only if it loads into the network and has the size and digest that are known.
Where none is known, the SHA-256 of the first file is written beside it (`<file>.sha256`, the format of
`sha256sum`), and later loads are compared with it.
"""

import shutil
from dataclasses import dataclass
from pathlib import Path

from sodbench.data.card import Archive
from sodbench.data.getting.download import DownloadError, check, download
from sodbench.errors import InputError
from sodbench.files import sha256_of, write_text
from sodbench.models.baseline import Baseline
from sodbench.models.hub import fetch_model
from sodbench.models.safetensors_file import SUFFIX
from sodbench.models.settings import Weights
from sodbench.models.transformers_folder import TRANSFORMERS, open_model_folder, read_options
from sodbench.paths import user_path
from sodbench.unfinished import temporary


@dataclass(frozen=True)
class FetchedWeights:
    """Where the weights are, their size in bytes and SHA-256.

    `known`: the digest was known before; `fresh`: the file was fetched now.
    """

    path: Path
    size: int
    sha256: str
    known: bool
    fresh: bool


def fetch_weights(
    baseline: Baseline, source: str | None = None, force: bool = False, progress: bool = False
) -> FetchedWeights:
    """Fetches and checks the weights of `baseline` into `baseline.weights_path()`.

    `source`: a web address or a file, instead of the baseline's own addresses. Weights that are there already
    are checked and kept, unless `force`. Raises InputError, with what to do, and leaves no partial file.
    """
    if baseline.network == TRANSFORMERS:
        return _fetch_model(baseline, source, force, progress=progress)
    weights = baseline.weights or Weights()
    target = baseline.weights_path()
    if target.is_file() and not force:
        baseline.load()
        return FetchedWeights(target, target.stat().st_size, sha256_of(target), weights.known, fresh=False)
    if source is None and not weights.fetchable:
        raise InputError(
            f"{baseline.name}: no address of its weights is known; name one with --from URL|FILE, "
            f"or put the file at {target}"
        )
    if source is not None and _is_tensors(source) != _is_tensors(target.name):
        raise InputError(
            f"--from {source}: another format than {target.name}, which is the file of {baseline.name}; name "
            "one of that format, use --weights FILE, or write its name as `file` in [weights] of a TOML"
        )
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"{target.parent}: cannot be created ({error.strerror}); name another folder by SODBENCH_WEIGHTS"
        ) from error
    with temporary(target) as folder:
        folder.mkdir()
        file = _fetch(baseline.name, weights, source, target, folder, progress=progress)
        # weights of another network must not take the place of the right ones
        baseline.load(file)
        digest = sha256_of(file)
        file.replace(target)
    if not weights.known:
        write_text(target.with_name(target.name + ".sha256"), f"{digest}  {target.name}\n")
    return FetchedWeights(target, target.stat().st_size, digest, weights.known, fresh=True)


def _fetch_model(baseline: Baseline, source: str | None, force: bool, *, progress: bool) -> FetchedWeights:
    """A transformers model: from the hub into the hub's own cache; of a folder the weights are there."""
    if source is not None:
        raise InputError(f"--from {source}: {baseline.name} is a transformers model, which its hub has")
    options = read_options(baseline.options, baseline.path or baseline.name)
    folder, fresh = baseline.model_folder, False
    if folder is None or (force and not user_path(options.model).is_dir()):
        folder, fresh = (
            open_model_folder(fetch_model(options.model, options.revision, progress=progress)),
            True,
        )
    files = folder.weights_files()
    size = sum(file.stat().st_size for file in files)
    known = baseline.weights is not None and baseline.weights.sha256 is not None
    return FetchedWeights(folder.weights_path(), size, folder.weights_digest(), known, fresh)


def _fetch(
    name: str, weights: Weights, source: str | None, target: Path, folder: Path, *, progress: bool
) -> Path:
    """The checked file in `folder`, from the first address that gives it."""
    places = [("web" if "://" in source else "file", source)] if source else []
    if not source:
        places += [("web", weights.url)] if weights.url else []
        places += [("drive", weights.drive)] if weights.drive else []
    failed = []
    for kind, address in places:
        archive = Archive(address or "", target.name, weights.size, weights.sha256, weights.md5)
        try:
            if kind != "file":
                return download(archive, kind, folder, progress)
            given = user_path(archive.address)
            if not given.is_file():
                raise InputError(f"--from {source}: no such file; expected a file or an address with ://")
            copied = Path(shutil.copyfile(given, folder / target.name))
            check(copied, archive)
            return copied
        except DownloadError as error:
            failed.append(str(error))
    raise InputError(f"{name}: {'; '.join(failed)}; put the file at {target}, or name a mirror with --from")


def _is_tensors(name: str) -> bool:
    """Whether a file's name or address says that it is in the safetensors format."""
    return name.partition("?")[0].lower().endswith(SUFFIX)
