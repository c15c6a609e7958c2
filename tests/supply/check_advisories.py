"""Looks the pinned versions up in the advisory database: `python -m tests.supply.check_advisories`.

pip-audit asks the package index. Where no advisory can be had (no network, or an index without them), it
skips every package and still ends with success. This says so, and `tox -e security` then rests on bandit and
on `check_lock`. `--strict` makes it an error.
"""

import json
import subprocess
import sys

from .pins import CONSTRAINTS


def main() -> int:
    command = [sys.executable, "-m", "pip_audit", "--requirement", str(CONSTRAINTS)]
    options = ["--no-deps", "--disable-pip", "--format", "json", "--progress-spinner", "off"]
    done = subprocess.run([*command, *options], capture_output=True, text=True)
    try:
        packages = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        last = (done.stderr.strip().splitlines() or ["no output"])[-1]
        return _not_looked_up(f"pip-audit failed: {last}")
    known = [f"{one['name']} {one['version']}: {v['id']}" for one in packages for v in one.get("vulns", ())]
    skipped = [one["name"] for one in packages if "skip_reason" in one]
    for line in known:
        print(line, file=sys.stderr)
    print(f"{len(packages) - len(skipped)} pinned versions looked up, {len(known)} advisories")
    if known:
        return 1
    if len(skipped) == len(packages):
        return _not_looked_up("the index knows no advisories")
    if skipped:
        return _not_looked_up(f"not looked up: {', '.join(skipped)}")
    return 0


def _not_looked_up(why: str) -> int:
    strict = "--strict" in sys.argv[1:]
    print(f"{'error' if strict else 'note'}: advisories were not looked up ({why})", file=sys.stderr)
    return int(strict)


if __name__ == "__main__":
    sys.exit(main())
