"""Run a task in a fork of this process, with limits."""

from __future__ import annotations

import gc
import json
import math
import os
import resource
import signal
from collections.abc import Callable
from typing import Any

MEMORY = 8 * 2**30
"""Address space of a child, bytes."""
BY_THE_CLOCK = 20
"""A child is ended after so many times its CPU seconds: other jobs may hold the machine."""


def in_child(task: Callable[[], Any], limit: float) -> tuple[str, Any]:
    """Run a task in a fork; return ``done`` and its answer, ``timeout`` or ``crash``.

    The answer goes through JSON. `limit` is in CPU seconds.
    """
    # Memory that no child collects is not copied for it.
    gc.freeze()
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(read)
        silent = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silent, 1)
        os.dup2(silent, 2)
        resource.setrlimit(resource.RLIMIT_CPU, (math.ceil(limit), math.ceil(limit) + 5))
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        signal.alarm(math.ceil(BY_THE_CLOCK * limit))
        with os.fdopen(write, "w") as pipe:
            pipe.write(json.dumps(task()))
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as pipe:
        answer = pipe.read()
    _, status = os.waitpid(pid, 0)
    if os.WIFSIGNALED(status):
        late = os.WTERMSIG(status) in (signal.SIGXCPU, signal.SIGALRM, signal.SIGKILL)
        return ("timeout" if late else "crash"), None
    return ("done", json.loads(answer)) if answer else ("crash", None)
