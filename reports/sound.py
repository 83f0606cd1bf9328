"""A bundle that something is to be concluded from: opened, packed or not, and verified first."""

from __future__ import annotations

import shutil
import weakref
from pathlib import Path
from tempfile import mkdtemp

from profiles.problem import Problem
from profiles.problem import UserMistake
from reports.archive import unpack
from reports.bundle import Bundle


def open_bundle(path: Path) -> Bundle:
    """The bundle at ``path``, a folder or the archive that ``plantproof pack`` writes.

    What is packed is unpacked to a temporary folder, which goes when the bundle is let go.

    Raises:
        UserMistake: if it cannot be read.
    """
    if not path.is_file():
        return Bundle.open(path)
    temporary = mkdtemp(prefix="plantproof-")
    try:
        folder = Path(temporary) / path.stem
        unpack(path, folder)
        bundle = Bundle.open(folder)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    weakref.finalize(bundle, shutil.rmtree, temporary, ignore_errors=True)
    bundle.named = path
    return bundle


def sound_bundle(path: Path, refusal: str = "compare-altered") -> Bundle:
    """The bundle at ``path``, if it is what was sealed: conclusions from anything else would mislead.

    Args:
        path: folder or archive.
        refusal: text ``problem.<refusal>`` of ``reports/texts.toml`` for one that is not.

    Raises:
        UserMistake: if it cannot be read, or verification finds anything.
    """
    from reports.verify import verify

    if wrong := len(verify(path).alterations):
        raise UserMistake([Problem(refusal, "reports", file=str(path), facts={"count": wrong})])
    return open_bundle(path)
