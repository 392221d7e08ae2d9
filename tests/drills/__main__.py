"""`make drills`: every drill and what else takes long, two at a time; prints the table, bench/results/drills.md.

Arguments go to pytest. DRILL_SEED gives chance again.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time

from local.checks import testbed
from tests.drills.rig.results import SEED, read, table

RESULTS = testbed.ROOT / "bench" / "results"


def main(arguments: list[str]) -> int:
    RESULTS.mkdir(parents=True, exist_ok=True)
    lines = RESULTS / "drills.jsonl"
    lines.unlink(missing_ok=True)
    began = time.monotonic()
    with testbed.entered():
        os.environ |= {"PYTHONPATH": str(testbed.ROOT), "DRILL_RESULTS": str(lines), "DRILL_SEED": str(SEED)}
        command = [sys.executable, "-m", "pytest", "--quiet", "-m", "drill or long", "-n", "2", "--dist", "worksteal"]
        command += arguments or ["tests"]
        code = subprocess.run(command, cwd=testbed.ROOT, check=False).returncode
    rows = read(lines)
    shown = f"{table(rows)}\n\n{len(rows)} drills in {time.monotonic() - began:.0f} s, DRILL_SEED={SEED}"
    print(shown)
    (RESULTS / "drills.md").write_text(shown + "\n")
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
