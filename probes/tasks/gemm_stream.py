"""Task: how fast this node multiplies matrices and moves memory, every result verified.

GEMM: C = A B with square matrices, 2 n^3 operations. Its entries are random integers, so small that every sum is exact
in the precision under test; so C is known to the last bit, and is verified by Freivalds' method (1977) in arithmetic
modulo 2^64 with a random vector of odd numbers: no tolerance hides a wrong result, and a single wrong entry is always
found. Triad (STREAM, J. D. McCalpin): a = b + s c with 24 bytes per element, arrays of at least four times the
last-level cache; done in blocks, so that the product stays in the cache and each array crosses the memory bus once.

A run that others disturbed is repeated for a while, and kept in the reply.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

from probes.processor import Clock
from probes.processor import Shares
from probes.processor import between
from probes.processor import cache_bytes
from probes.processor import memory_bytes
from probes.processor import quota_cores

TRIAL_N, LEAST_N, MOST_N, STEP_N = 512, 256, 8192, 64
MANTISSA_BITS = {"float32": 24, "float64": 53}
KINDS = {"gemm-fp32": "float32", "gemm-fp64": "float64"}
CACHE_TIMES = 4  #: STREAM: "at least 4 times the size of the available cache memory"
UNKNOWN_CACHE_BYTES = 64 << 20
MEMORY_SHARE = 0.5  #: of the available memory that may be used
BLOCK = 1 << 16  #: elements of a block of the triad: its product fits in a second-level cache
SCALAR, PERIOD = 3.0, 1000


def perform(request: Any) -> Any:  # noqa: ANN401 - JSON
    """Run one kind of benchmark.

    Args:
        request: ``kind`` (``gemm-fp32``, ``gemm-fp64``, ``stream-triad``), ``cores`` (threads), ``attempts``,
            ``run_s`` (aimed length of one run), ``repeat_s`` (how long an attempt may be repeated because others
            took more than the share ``most_taken`` of its time).

    Returns:
        ``work`` of one run (operations or bytes), ``runs`` (of each attempt: the runs that were made, the last one
        counts), and facts; or ``unsound`` if the conditions do not allow a measurement.
    """
    cpus = os.sched_getaffinity(0)
    threads = min(request["cores"], len(cpus))
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = str(threads)  # read once, when the library is loaded
    facts: dict[str, Any] = {"threads": threads, "cpus": len(cpus), "quota_cores": quota_cores()}
    if request["kind"] in KINDS:
        bench: _Gemm | _Triad = _Gemm(KINDS[request["kind"]], threads, request["run_s"])
    else:
        size = CACHE_TIMES * (cache_bytes(cpus) or UNKNOWN_CACHE_BYTES)
        if 3 * size > MEMORY_SHARE * memory_bytes():
            return facts | {"unsound": f"three arrays of {size} bytes do not fit in half of the memory"}
        bench = _Triad(size, threads, request["run_s"])
    bench.run()  # warm
    runs = [_attempt(bench, threads, request) for _ in range(request["attempts"])]
    return facts | {"work": bench.work, "runs": runs} | bench.facts()


def _attempt(bench: _Gemm | _Triad, threads: int, request: Mapping[str, Any]) -> list[dict[str, Any]]:
    runs: list[dict[str, Any]] = []
    deadline = time.monotonic() + request["repeat_s"]
    while not runs or (runs[-1]["taken"] > request["most_taken"] and time.monotonic() < deadline):
        bench.poison()
        utc_ns, monotonic_ns = time.time_ns(), time.monotonic_ns()
        seconds, shares = _timed(bench.run, threads)
        told = {"utc_ns": utc_ns, "monotonic_ns": monotonic_ns, "seconds": seconds, "correct": bench.verify()}
        runs.append(told | {"got_s": shares.got_s, "taken": shares.taken, "throttled_s": shares.throttled_s})
    return runs


def _timed(run: Callable[[], None], threads: int) -> tuple[float, Shares]:
    before = Clock.now()
    began = time.perf_counter()
    run()
    seconds = time.perf_counter() - began
    return seconds, between(before, Clock.now(), threads)


class _Gemm:
    """C = A B in one precision."""

    def __init__(self, dtype: str, threads: int, run_s: float) -> None:
        import numpy  # not before the number of threads is set

        self._np = numpy
        self._dtype = numpy.dtype(dtype)
        self._random = numpy.random.default_rng()
        self._draw(TRIAL_N)
        self.run()
        best_s = min(self._processor_s() for _ in range(3)) / threads  # neither neighbours nor a quota make it small
        aimed = int(TRIAL_N * (run_s / best_s) ** (1 / 3))
        fitting = int((MEMORY_SHARE * memory_bytes() / self._dtype.itemsize / 6) ** 0.5)
        self._draw(max(min(aimed, fitting, MOST_N) // STEP_N * STEP_N, LEAST_N))

    def _draw(self, n: int) -> None:
        """Matrices of which every entry of the product is exact, and what the product makes of a vector."""
        np = self._np
        self._n = n
        most = (1 << (MANTISSA_BITS[self._dtype.name] - (n - 1).bit_length()) // 2) - 1
        first, second = (self._random.integers(-most, most, (n, n), endpoint=True) for _ in range(2))
        self._vector = self._random.integers(0, 1 << 62, n) * 2 + 1
        self._expected = first @ (second @ self._vector)  # modulo 2^64
        self._a, self._b = first.astype(self._dtype), second.astype(self._dtype)
        self._c = np.empty((n, n), self._dtype)
        self.work = 2 * n**3

    def _processor_s(self) -> float:
        began = time.process_time()
        self.run()
        return time.process_time() - began

    def run(self) -> None:
        """Multiply once."""
        self._np.matmul(self._a, self._b, out=self._c)

    def poison(self) -> None:
        """Leave nothing of the last run."""
        self._c.fill(self._np.nan)

    def verify(self) -> bool:
        """Whether the product is right in every bit."""
        np = self._np
        if not np.isfinite(self._c).all():
            return False
        whole = self._c.astype(np.int64)
        return bool((whole == self._c).all() and (whole @ self._vector == self._expected).all())

    def facts(self) -> dict[str, Any]:
        """What was multiplied, and by whom."""
        build = self._np.__config__.CONFIG["Build Dependencies"]["blas"]
        return {"n": self._n, "blas": f"{build.get('name')} {build.get('version')}", "numpy": self._np.__version__}


class _Triad:
    """a = b + s c in double precision, in as many threads as there are cores."""

    def __init__(self, size: int, threads: int, run_s: float) -> None:
        import numpy

        self._np = numpy
        self._length = length = size // 8
        self._a, self._b, self._c = (numpy.empty(length) for _ in range(3))
        edges = [length * part // threads // PERIOD * PERIOD for part in range(threads)] + [length]
        self._parts = list(pairwise(edges))
        self._pool = ThreadPoolExecutor(threads)
        self._passes = 1
        self._each(self._fill)  # by the thread that will use it, so that it lies in that one's memory
        self.run()
        seconds = _timed(self.run, 1)[0]
        self._passes = max(round(run_s / seconds), 1)
        self.work = 24 * length * self._passes

    def _each(self, do: Callable[[int, int], bool | None]) -> bool:
        """Whether nothing that ``do`` says of the threads' parts is false."""
        return False not in list(self._pool.map(lambda part: do(*part), self._parts))

    def _fill(self, begin: int, end: int) -> None:
        pattern = self._np.resize(self._np.arange(PERIOD, dtype=float), end - begin)
        self._b[begin:end] = pattern
        self._c[begin:end] = 2 * pattern
        self._a[begin:end] = 0

    def _triad(self, begin: int, end: int) -> None:
        np, product = self._np, self._np.empty(BLOCK)
        for _ in range(self._passes):
            for at in range(begin, end, BLOCK):
                until = min(at + BLOCK, end)
                block = product[: until - at]
                np.multiply(self._c[at:until], SCALAR, out=block)
                np.add(self._b[at:until], block, out=self._a[at:until])

    def _right(self, begin: int, end: int) -> bool:
        pattern = (1 + 2 * SCALAR) * self._np.resize(self._np.arange(PERIOD, dtype=float), end - begin)
        return bool(self._np.array_equal(self._a[begin:end], pattern))

    def run(self) -> None:
        """Pass over the arrays."""
        self._each(self._triad)

    def poison(self) -> None:
        """Leave nothing of the last run."""
        self._a.fill(self._np.nan)

    def verify(self) -> bool:
        """Whether every element is right."""
        return self._each(self._right)

    def facts(self) -> dict[str, Any]:
        """What was moved."""
        return {"array_bytes": 8 * self._length, "passes": self._passes, "numpy": self._np.__version__}
