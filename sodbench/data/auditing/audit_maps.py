"""An audit of a folder of saliency maps: missing, unreadable, of another size, nearly black, constant."""

from pathlib import Path

import numpy as np

from sodbench.data.auditing.audit import Audit
from sodbench.data.auditing.file_facts import in_threads, map_facts, mask_facts
from sodbench.data.folder import DataSet
from sodbench.data.map_files import list_maps
from sodbench.errors import first_of

FAINT = 64  # a map that stays below: stretching it to the full range changes its meaning


def audit_maps(dataset: DataSet, folder: Path, workers: int | None = None) -> Audit:
    """Audits the maps in `folder` for a data set."""
    audit = Audit(f"{dataset.name}: {folder.name}", str(folder), len(dataset))
    maps = list_maps(folder)
    names = {sample.name for sample in dataset}
    missing = [sample.name for sample in dataset if sample.name not in maps]
    if missing:
        audit.add("problem", "missing", f"{len(missing)} maps are missing: {first_of(missing, 3)}", missing)
    surplus = sorted(maps.keys() - names)
    if surplus:
        text = f"{len(surplus)} maps belong to no sample: {first_of(surplus, 3)}"
        audit.add("note", "further", text, surplus)
    samples = [sample for sample in dataset if sample.name in maps]
    files = in_threads(map_facts, [maps[sample.name] for sample in samples], workers)
    unreadable = [file.error for file in files if file.error]
    if unreadable:
        text = f"{len(unreadable)} maps cannot be scored: {first_of(unreadable, 3)}"
        audit.add("problem", "unreadable", text, unreadable)
    audit.masks, audit.pairs = len(maps), len(samples) - len(unreadable)
    masks = in_threads(mask_facts, [sample.mask for sample in samples if sample.mask is not None], workers)
    sizes = {mask.path: mask.size for mask in masks if not mask.error}
    without = [mask.error for mask in masks if mask.error]
    if without:
        text = f"{len(without)} masks cannot be read: {first_of(without, 3)}"
        audit.add("problem", "unreadable mask", text, without)
    differ, constant = [], []
    peaks: list[tuple[int, str]] = []
    for sample, file in zip(samples, files, strict=True):
        if file.error:
            continue
        used = np.flatnonzero(file.levels)
        if used.size == 1:
            constant.append(f"{sample.name} is {used[0]} everywhere")
        elif used[-1] < FAINT:
            peaks.append((int(used[-1]), sample.name))
        if sample.mask is not None and sizes.get(sample.mask, file.size) != file.size:
            differ.append(sample.name)
    if differ:
        text = f"{len(differ)} maps have another size than their masks: {first_of(differ, 3)}"
        audit.add("problem", "size", text, differ)
    if constant:
        text = f"{len(constant)} maps have one value: {first_of(constant, 3)}"
        audit.add("note", "constant", text, constant)
    faint = [f"{name} peaks at {peak}/255" for peak, name in sorted(peaks)]
    if faint:
        text = f"{len(faint)} maps are nearly black, and stretched by most protocols: {first_of(faint, 3)}"
        audit.add("note", "faint", text, faint)
    return audit
