"""Nothing in ``probes`` but the gate can make a socket, start a program or call into the C library.

The rule, read from the syntax tree of each module that travels to vantage points:

1. It imports only modules named in ``HARMLESS``, which cannot send, or ``probes`` and ``profiles.observation``.
2. Of ``socket`` it uses constants (upper case) and functions that only read or convert.
3. Of ``asyncio``, ``os`` and any event loop it uses nothing that opens a connection or starts a process.
4. Of the C library it calls only the functions named in ``C_FUNCTIONS``.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import probes
from probes.methods import MODULES as MODULES_OF_METHODS

DOORS_THEMSELVES = {"gate.py", "programs.py"}  # the second runs what the first lets it
HOME = Path(probes.__file__).parent
MODULES = sorted((*HOME.glob("*.py"), *HOME.glob("applications/*.py")))
WITHOUT_A_DOOR = [path for path in MODULES if path.name not in DOORS_THEMSELVES]
HARMLESS = frozenset(
    [
        "__future__",
        "array",
        "asyncio",
        "collections",
        "contextlib",
        "ctypes",
        "dataclasses",
        "errno",
        "fractions",
        "functools",
        "gc",
        "hashlib",
        "heapq",
        "importlib",
        "inspect",
        "ipaddress",
        "itertools",
        "json",
        "math",
        "operator",
        "os",
        "pathlib",
        "platform",
        "queue",
        "re",
        "resource",
        "secrets",
        "signal",
        "socket",
        "statistics",
        "string",
        "struct",
        "sys",
        "threading",
        "time",
        "traceback",
        "typing",
        "zlib",
    ]
)
#: Modules that only the named one of ours may use.
#: The TLS of ``https`` and ``tls_stream`` works on octets in memory.
OWN = {"serial_port.py": {"fcntl", "termios"}, "https.py": {"ssl", "warnings"}, "tls_stream.py": {"ssl"}}
READS_ONLY = frozenset({"gethostname", "if_nameindex", "if_nametoindex", "inet_ntop", "inet_pton"})
DOORS = frozenset(
    [
        "open_connection",
        "open_unix_connection",
        "start_server",
        "start_unix_server",
        "create_connection",
        "create_unix_connection",
        "create_datagram_endpoint",
        "create_server",
        "create_unix_server",
        "create_subprocess_exec",
        "create_subprocess_shell",
        "subprocess_exec",
        "subprocess_shell",
        "connect_accepted_socket",
        "socketpair",
        "wrap_socket",
        "get_server_certificate",
        "create_socket",
        "fromfd",
        "popen",
        "fork",
        "forkpty",
        "posix_spawn",
        "posix_spawnp",
        "startfile",
        "__import__",
        "exec",
        "eval",
    ]
)
PREFIXES = ("spawn", "exec")
C_FUNCTIONS = {"mmsg.py": {"sendmmsg", "recvmmsg"}, "hello.py": {"adjtimex"}}


def imports(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module if not node.level else "relative"


def only_for_types(tree: ast.AST) -> set[int]:
    """Names imported under ``if TYPE_CHECKING``: they do not exist at run time."""
    blocks = (node for node in ast.walk(tree) if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test))
    return {id(inner) for block in blocks for inner in ast.walk(block)}


def violations(name: str, source: str) -> list[str]:
    tree = ast.parse(source)
    typing_only = only_for_types(tree)
    found = []
    for module in imports(tree):
        root = module.partition(".")[0]
        if root == "profiles":
            found += [] if module == "profiles.observation" else [f"imports {module}"]
        elif root not in HARMLESS | OWN.get(name, set()) and root != "probes":
            found.append(f"imports {module}")
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == "socket" and id(node) not in typing_only:
            found += [f"socket.{one.name}" for one in node.names if not one.name.isupper()]
        if isinstance(node, ast.Attribute):
            of_socket = isinstance(node.value, ast.Name) and node.value.id == "socket"
            if of_socket and not node.attr.isupper() and node.attr not in READS_ONLY:
                found.append(f"socket.{node.attr}")
            of_os = isinstance(node.value, ast.Name) and node.value.id == "os"
            if of_os and node.attr == "system":
                found.append("os.system")
            if node.attr in DOORS or node.attr.startswith(PREFIXES):
                found.append(f".{node.attr}")
        if isinstance(node, ast.Name) and node.id in {"eval", "exec", "__import__", "getattr", "globals", "vars"}:
            found.append(node.id)
    if "ctypes" in set(imports(tree)) and name not in C_FUNCTIONS:
        found.append("calls into the C library")
    return found


def c_functions(source: str) -> Iterator[str]:
    """Attributes of whatever ``ctypes.CDLL(...)`` was bound to, or was used on directly."""
    tree = ast.parse(source)
    bound = {
        target.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and "CDLL" in ast.dump(node.value)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            direct = isinstance(node.value, ast.Call) and "CDLL" in ast.dump(node.value.func)
            if direct or (isinstance(node.value, ast.Name) and node.value.id in bound):
                yield node.attr


@pytest.mark.parametrize("path", WITHOUT_A_DOOR, ids=lambda path: path.name)
def test_no_other_module_has_a_door(path: Path) -> None:
    assert violations(path.name, path.read_text("utf-8")) == []


@pytest.mark.parametrize("name", sorted(C_FUNCTIONS))
def test_the_c_library_is_called_for_named_functions_only(name: str) -> None:
    source = (HOME / name).read_text("utf-8")
    assert set(c_functions(source)) <= C_FUNCTIONS[name]


@pytest.mark.parametrize(
    "source",
    [
        "import socket\ns = socket.socket()",
        "from socket import socket",
        "from socket import create_connection as c",
        "import _socket",
        "import subprocess",
        "import http.client",
        "import scapy.all",
        "import os\nos.system('ping')",
        "import os\nos.execvp('ping', [])",
        "import asyncio\nasyncio.open_connection('h', 1)",
        "import asyncio\nasyncio.get_running_loop().create_datagram_endpoint(None)",
        "import ctypes\nctypes.CDLL(None).socket(2, 1, 0)",
        "import multiprocessing",
        "import importlib\nimportlib.__import__('socket')",
        "import os\ngetattr(os, 'sys' + 'tem')('x')",
        "from profiles import judge",
        "from . import gate",
    ],
)
def test_the_rule_sees_a_door(source: str) -> None:
    assert violations("other.py", source) != []


def test_methods_are_found_among_the_probes_only() -> None:
    assert all(module.startswith("probes.") for module in MODULES_OF_METHODS.values())


def test_the_rule_lets_constants_through() -> None:
    assert violations("other.py", "from socket import AF_INET\nimport socket\nx = socket.IPPROTO_ICMP") == []


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.name)
def test_tasks_are_reached_through_the_gate_alone(path: Path) -> None:
    """A task may do what nothing else here may: it is never imported, only run, by the gate, confined and bounded."""
    tree = ast.parse(path.read_text("utf-8"))
    assert not [module for module in imports(tree) if module.startswith("probes.tasks")]
    from_probes = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module == "probes"]
    assert not [alias.name for node in from_probes for alias in node.names if alias.name == "tasks"]
    runs = {alias.name for node in from_probes for alias in node.names if alias.name == "programs"} | {
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == "probes.programs"
        for alias in node.names
    }
    allowed = {"gate.py": {"programs", "Finished"}, "worker.py": {"lacking"}}  # the latter asks nobody but this host
    assert runs <= allowed.get(path.name, {"Finished", "END", "SEARCH_PATH"})


def test_tasks_stand_where_no_method_does() -> None:
    assert not [module for module in MODULES_OF_METHODS.values() if module.startswith("probes.tasks")]
