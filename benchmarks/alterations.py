"""Whether random alterations of a sealed bundle are found and named: 1,000 single bytes, 100 swaps of files and rows.

``python benchmarks/alterations.py [--changes 1000] [--swaps 100] [--seed 5]`` runs the tests of alterations with those
numbers; a third as many bytes are added, removed or reordered, and as many again are changed in the archive.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

TESTS = Path(__file__).parents[1] / "tests" / "reports" / "evidence" / "test_alterations.py"


def main() -> int:
    """Run the tests and print one line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--changes", type=int, default=1_000)
    parser.add_argument("--swaps", type=int, default=100)
    parser.add_argument("--seed", type=int, default=5)
    asked = parser.parse_args()
    numbers = {"CHANGES": asked.changes, "SWAPS": asked.swaps, "SEED": asked.seed}
    environment = {f"PLANTPROOF_{name}": str(number) for name, number in numbers.items()}
    started = time.perf_counter()
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", TESTS]
    done = subprocess.run(command, env=os.environ | environment, check=False, capture_output=True, text=True)
    print(done.stdout if done.returncode else f"{done.stdout.splitlines()[-1]}: all found and named")
    print(f"{asked.changes} bytes, {asked.swaps} swaps, {time.perf_counter() - started:.0f} s")
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
