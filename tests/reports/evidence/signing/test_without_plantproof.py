"""What docs/signing.md says to check with openssl and jq alone does check, and shows what was altered."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from reports.signing.authority import stamp
from reports.signing.sign import sign_bundle

PAGE = Path(__file__).parents[4] / "docs" / "signing.md"
SCRIPT = re.findall(r"```sh\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)[0]

pytestmark = pytest.mark.skipif(shutil.which("jq") is None, reason="jq is not installed")


def run(bundle: Path, key: Path, tsa: Path, scratch: Path) -> int:
    scratch.mkdir(exist_ok=True)
    facts = {"I": "0", "KEY": str(key), "TSA": str(tsa), "TMP": str(scratch)}
    command = ["bash", "-euo", "pipefail", "-c", SCRIPT]
    return subprocess.run(command, cwd=bundle, env=os.environ | facts, check=False, capture_output=True).returncode


@pytest.mark.parametrize("kind", ["ed25519", "ecdsa-p256", "sm2"])
def test_openssl_and_jq_show_it(
    bundle: Path, person: Callable[..., Any], authority: Any, tmp_path: Path, kind: str
) -> None:
    someone = person(kind)
    sign_bundle(bundle, [someone.signer], partial(stamp, authority.url))
    look = partial(run, bundle, someone.public, authority.root, tmp_path / "scratch")
    assert look() == 0
    for name in ("junit.xml", "manifest.json", "manifest.dsse.json", next(bundle.glob("*.tsr")).name):
        path = bundle / name
        whole = path.read_bytes()
        at = len(whole) // 3
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        assert look() != 0, name
        path.write_bytes(whole)
    assert run(bundle, person(kind).public, authority.root, tmp_path / "scratch") != 0
