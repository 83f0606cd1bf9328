"""Run every benchmark in turn and print one Markdown document; results are kept in docs/benchmarks.md.

python benchmarks/run.py            all
python benchmarks/run.py sweep      one or several, by name
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent


def main(asked: list[str]) -> int:
    """Run the benchmarks ``asked`` for, or all; the first failing status is returned."""
    found = {path.stem: path for path in sorted(HERE.glob("*.py")) if path.stem not in ("run", "common")}
    unknown = set(asked) - set(found)
    if unknown:
        print(f"no benchmark {', '.join(sorted(unknown))}; there are {', '.join(found)}", file=sys.stderr)
        return 2
    print(f"Machine: {os.cpu_count()} cores, Linux {platform.release()}, Python {platform.python_version()}\n")
    status = 0
    for name in asked or list(found):
        print(f"## {name}\n", flush=True)
        status = subprocess.run([sys.executable, found[name]], check=False).returncode or status
        print(flush=True)
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
