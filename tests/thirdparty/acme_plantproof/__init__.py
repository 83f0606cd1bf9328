"""An example of a package that adds to plantproof: an indicator, its suite, a dialect and a method of its own.

Nothing here is part of plantproof, and plantproof knows nothing of it: four entry points are all (``entry_points.txt``
beside this package). What travels to vantage points (``probe``, ``task``) imports the standard library and ``probes``.
"""
