"""Up to which layer each object gave a sign of life: a diagnosis that changes no verdict."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Iterator

from profiles.indicators.layers import BIT
from profiles.indicators.layers import LAYERS
from profiles.indicators.layers import REFUSALS
from profiles.indicators.layers import told
from profiles.observation import TARGET_ERRORS
from profiles.observation import Observation

#: Methods that show a layer.
METHODS = frozenset(LAYERS)


class Reached:
    """Notes the layers of every target of the observations that are passed on."""

    def __init__(self) -> None:
        self._seen: dict[str, list[int]] = {}

    def noting(self, observations: Iterable[Observation]) -> Iterator[Observation]:
        """The same observations."""
        for seen in observations:
            bit = BIT.get(seen.method)
            if bit is not None and seen.quantity != "instrument":
                self._note(seen, bit)
            yield seen

    def layers(self) -> dict[str, str]:
        """By target, its layers as :func:`profiles.indicators.layers.told` has them; none where nothing was sound."""
        return {target: text for target, masks in self._seen.items() if (text := told(*masks))}

    def _note(self, seen: Observation, bit: int) -> None:
        answered = seen.error is None and bool(seen.value)  # as the indicators have it, nothing is no sign of life
        if answered or seen.error in TARGET_ERRORS:
            masks = self._seen.setdefault(seen.target, [0, 0, 0])
            masks[0 if answered else 1] |= bit
            if seen.error in REFUSALS:
                masks[2] |= bit
