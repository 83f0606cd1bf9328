"""A cluster of two worker processes, given tasks of which one kills its worker; prints what came of each."""

from __future__ import annotations

import json
import sys

import dask
import distributed
from hurting import work  # type: ignore[import-not-found]

from reports.fleet.cluster import each_on

TASKS = ["a", "b", "die", "c", "raise"]

if __name__ == "__main__":
    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 0}),
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, host="127.0.0.1", dashboard_address="127.0.0.1:0"
        ) as cluster,
    ):
        found = {}
        for done in each_on(cluster.scheduler_address, work, TASKS):
            found[done.task] = done.fault.code if done.fault else done.value
    json.dump(found, sys.stdout)
