"""Tasks: what needs a library that blocks, prints, computes or opens sockets of its own, each in a one-shot process.

A task is a module here, or of another package, with ``perform(request) -> reply``, both JSON values. It is run by
:meth:`probes.gate.Gate.run_task`, in a fresh interpreter with the installed packages of the vantage point, and may
speak only to the address that the gate admitted. Nothing else in :mod:`probes` may import one.
"""
