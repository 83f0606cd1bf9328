"""From a requirement, its register and the observations to a judgement: reduce, then judge.

The campaign and the verifier call the same function, so a bundle's verdicts can be computed again from its data.
"""

from __future__ import annotations

from collections.abc import Iterable

from profiles.indicators import find
from profiles.judge import judge
from profiles.observation import Observation
from profiles.reduced import Invalid
from profiles.reduced import Judgement
from profiles.reduced import Register
from profiles.requirement import Requirement


def evaluate(requirement: Requirement, register: Register, observations: Iterable[Observation]) -> Judgement:
    """Reduce ``observations`` by the requirement's indicator and judge the result.

    Raises:
        LookupError: if the requirement's indicator is unknown or nothing computes it; the plan excludes such items.
    """
    indicator = find(requirement.indicator)
    if indicator is None or indicator.reduce is None:
        raise LookupError(f"nothing computes the indicator {requirement.indicator}")
    if not register.members:
        return judge(requirement, Invalid("empty-register"))
    parameters = indicator.parameters.model_validate(requirement.parameters)
    return judge(requirement, indicator.reduce(register, observations, parameters))
