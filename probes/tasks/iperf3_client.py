"""Task: one iperf3 test (TCP or UDP) against one server, by the bindings of the declared wrapper.

The wrapper's own ``run()`` replaces the process's standard output by a pipe that nobody reads before the test is over,
and libiperf, which prints its report there, waits for ever once the report is larger than the pipe. So the bindings
configure the test here, libiperf runs it, and the report goes to this process's standard output, which is a file.
The address is a literal that the gate has admitted: libiperf resolves no name and speaks to nobody else.
"""

from __future__ import annotations

from ctypes import c_char_p
from ctypes import c_int
from ctypes import c_uint64
from ctypes import c_void_p
from typing import Any

import iperf3

from probes.tasks.tcp_watch import Watch

LIBRARY = "libiperf.so.0"  # by name: the wrapper would start a program to look for it
_kept: list[iperf3.Client] = []  # until the process ends: freeing a test that failed is not sound in every release


def perform(request: Any) -> Any:  # noqa: ANN401 - JSON
    """Run the test; the report is on standard output.

    Args:
        request: ``address``, ``port``, ``reverse``, ``streams``, ``duration_s``, ``omit_s``, ``bits_per_s`` (all
            streams together), ``block_bytes``, ``connect_timeout_ms``, ``congestion`` (name of the algorithm, or ""),
            ``udp``, ``socket_bytes`` (buffers of the sockets at both ends; 0 leaves them to the kernels).

    Returns:
        What libiperf returned: its status, its error in words, and its version; and under ``kernel`` what
        :class:`~probes.tasks.tcp_watch.Watch` saw.
    """
    client = _configured(request)
    with Watch() as watch:
        status = client.lib.iperf_run_client(client._test)  # noqa: SLF001 - the bindings offer no other way to it
    said = client._error_to_string(client._errno) if status else ""  # noqa: SLF001 - as above
    return {"status": status, "error": said, "version": client.iperf_version, "kernel": watch.found}


def _configured(request: Any) -> iperf3.Client:  # noqa: ANN401 - JSON
    client = iperf3.Client(lib_name=LIBRARY, verbose=False)
    _kept.append(client)
    client.server_hostname = request["address"]
    client.port = request["port"]
    client.reverse = request["reverse"]
    client.num_streams = request["streams"]
    client.duration = request["duration_s"]
    client.omit = request["omit_s"]
    client.lib.iperf_set_test_rate.argtypes = (c_void_p, c_uint64)  # else 32 bits of it are passed on
    client.bandwidth = request["bits_per_s"] // request["streams"]
    if request["udp"]:
        client.protocol = "udp"
    client.blksize = request["block_bytes"]
    library, test = client.lib, client._test  # noqa: SLF001 - as above
    library.iperf_set_test_connect_timeout.argtypes = (c_void_p, c_int)
    library.iperf_set_test_connect_timeout(test, request["connect_timeout_ms"])
    if request["congestion"]:
        library.iperf_set_test_congestion_control.argtypes = (c_void_p, c_char_p)
        library.iperf_set_test_congestion_control(test, request["congestion"].encode())
    if request["socket_bytes"]:
        library.iperf_set_test_socket_bufsize.argtypes = (c_void_p, c_int)
        library.iperf_set_test_socket_bufsize(test, request["socket_bytes"])
    return client
