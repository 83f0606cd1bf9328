"""How long ``--help`` takes: the command, and pytest with this plugin beside pytest without any plugin."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROUNDS = 9
BIN = Path(sys.executable).parent
COMMANDS: dict[str, tuple[list[str], dict[str, str]]] = {
    "plantproof --help": ([str(BIN / "plantproof"), "--help"], {}),
    "pytest --help": ([str(BIN / "pytest"), "--help"], {}),
    "pytest --help, no plugin at all": ([str(BIN / "pytest"), "--help"], {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}),
    "python -c pass": ([sys.executable, "-c", "pass"], {}),
}


def main() -> None:
    """Print medians of whole processes, taken in turn."""
    taken: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(ROUNDS):
        for name, (command, environment) in COMMANDS.items():
            started = time.perf_counter()
            subprocess.run(command, env=os.environ | environment, cwd="/", check=True, stdout=subprocess.DEVNULL)
            taken[name].append(time.perf_counter() - started)
    print("| command | median | slowest |")
    print("|---|---|---|")
    for name, seconds in taken.items():
        print(f"| `{name}` | {statistics.median(seconds):.2f} s | {max(seconds):.2f} s |")


if __name__ == "__main__":
    main()
