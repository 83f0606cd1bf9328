"""What other packages add by entry points; one that cannot be used is a mistake, told with its name."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import entry_points

from profiles.problem import Problem
from profiles.problem import UserMistake


@dataclass(frozen=True, slots=True, order=True)
class Extension:
    """One entry point of one package."""

    group: str
    name: str
    module: str  #: module or package that it names
    package: str  #: the distribution that declares it

    @contextmanager
    def used(self) -> Iterator[None]:
        """Turn whatever its code raises into a mistake that names its package.

        Raises:
            UserMistake: if anything is raised inside the block.
        """
        try:
            yield
        except UserMistake:
            raise
        except (Exception, SystemExit) as error:  # a foreign package may do anything
            raise self.mistake("extension-broken", error=f"{type(error).__name__}: {error}") from error

    def mistake(self, code: str, **facts: object) -> UserMistake:
        """The mistake ``code`` of this package."""
        known = {"package": self.package, "group": self.group, "name": self.name, "module": self.module}
        return UserMistake([Problem(code, facts=known | facts)])


def extensions(group: str) -> list[Extension]:
    """Everything that other packages add to ``group``, by name.

    Raises:
        UserMistake: if two packages add something of the same name.
    """
    found: dict[str, list[Extension]] = defaultdict(list)
    for entry in entry_points(group=group):
        package = entry.dist.name if entry.dist else "?"
        found[entry.name].append(Extension(group, entry.name, entry.value.partition(":")[0].strip(), package))
    for _, (one, *others) in sorted(found.items()):
        if others:
            raise one.mistake("extension-clash", other=others[0].package)
    return [one for _, (one,) in sorted(found.items())]
