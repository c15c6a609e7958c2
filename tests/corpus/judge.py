"""Judges what came of a case: its exit code, what it printed, and the files that it changed."""

import fnmatch
import hashlib
import re
import signal
from pathlib import Path

from .case import Case

# `sodbench: error: ...`, and what argparse says of a wrong command line
ERROR = re.compile(r"sodbench( [a-z]+)*: error: ")
NOTE = re.compile(r"sodbench: (note: |warning: |interrupted$)|usage: |\s|$")
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
LONGEST = 2500  # characters of an error line


def of_code(case: Case, code: int, err: str) -> list[str]:
    if code in case.codes:
        return []
    if code == -signal.SIGALRM:
        return [f"no end after {case.seconds} s"]
    last = err.strip().splitlines()[-1:] or ["nothing on stderr"]
    return [f"exit code {code}, expected {' or '.join(map(str, case.codes))}: {last[0][:300]}"]


def of_text(case: Case, code: int, out: str, err: str) -> list[str]:
    problems = []
    if "Traceback (most recent call last)" in err + out:
        problems.append(f"a traceback: {err.strip().splitlines()[-1][:300]}")
    lines = err.splitlines()
    errors = [line for line in lines if ERROR.match(line)]
    if code == 2 and len(errors) != 1 and "Traceback" not in err and not case.stderr:
        problems.append(f"{len(errors)} error lines, expected one")
    stray = [line for line in lines if not ERROR.match(line) and not NOTE.match(line)]
    if stray and not case.talks and "Traceback" not in err and code >= 0:
        problems.append(f"a line of stderr is neither an error nor a note: {stray[0][:200]!r}")
    if any(len(line) > LONGEST for line in errors):
        problems.append(f"an error line of {max(map(len, errors))} characters")
    said = "\n".join(errors) if code == 2 else err
    if code in case.codes and not re.search(case.says, said, re.DOTALL | re.IGNORECASE):
        problems.append(f"stderr does not say {case.says!r}: {said.strip()[:300]!r}")
    if code in case.codes and code != 2 and not re.search(case.prints, out, re.DOTALL | re.IGNORECASE):
        problems.append(f"stdout does not say {case.prints!r}: {out.strip()[-300:]!r}")
    if case.never and (found := re.search(case.never, out + err)):
        problems.append(f"it says {found[0]!r}")
    # what the library raises may quote its argument; the command line prints it for a terminal
    shown = out if callable(case.run) else out + err.replace("\r", "")
    if found := CONTROL.search(shown):
        problems.append(f"it prints the control character {found[0]!r}")
    return problems


def of_files(case: Case, changed: list[str]) -> list[str]:
    def allowed(path: str) -> bool:
        return any(fnmatch.fnmatchcase(path, one) or path in _parents(one) for one in case.changes)

    wrong = [path for path in changed if not allowed(path)]
    # a part of a download is kept, to go on from there; no other part is
    left = [path for path in changed if path.endswith(".part") and not path.startswith("data/.downloads/")]
    if "CANARY" in wrong:
        return ["code of a stranger ran"]
    return [f"changed {', '.join(map(repr, some[:4]))}" for some in (wrong, left) if some]


def _parents(pattern: str) -> set[str]:
    return {str(path) for path in Path(pattern).parents}


def snapshot(top: Path) -> dict[str, str]:
    """Every path below the top with what it is; the bytes of files by their digest."""
    found = {}
    for path in top.rglob("*"):
        place = str(path.relative_to(top))
        if "__pycache__" in place:
            continue
        if path.is_symlink():
            found[place] = f"link {path.readlink()}"
        elif path.is_file():
            found[place] = hashlib.sha1(path.read_bytes()).hexdigest()
        else:
            found[place] = "folder" if path.is_dir() else "special"
    return found
