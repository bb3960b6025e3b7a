"""One generation of web processes: granian on a socket that its parent holds (网页进程).

`python -m zhengwu.config.webserver FD WORKERS`. Granian by itself gives every worker a socket of
its own, and what waits in the queue of one that ends is reset. Here all workers accept from the one
socket, which outlives them: a connection waits for whoever comes next.
"""

from __future__ import annotations

import socket
import sys

from granian import Granian
from granian._granian import SocketHolder
from granian.constants import Interfaces
from granian.log import LogLevels

from zhengwu.config.environment import env_int

BACKLOG = 1024  # connections that may wait
# Whoever waits has a thread, so that overload.py sees the line; a few are for the probes.
THREADS = (
    env_int("WEB_AT_ONCE", 4, least=1, most=32) + env_int("WEB_LINE", 400, least=1, most=1000) + 4
)
LONGEST = 60  # seconds a request may go on after its process was told to end


class OnGivenSocket(Granian):  # type: ignore[misc, valid-type]
    """Granian, but for where it listens."""

    def __init__(self, descriptor: int, workers: int) -> None:
        super().__init__(
            "zhengwu.config.wsgi:application",
            interface=Interfaces.WSGI,
            workers=workers,
            backlog=BACKLOG,
            blocking_threads=4,
            blocking_threads_idle_timeout=600,
            respawn_failed_workers=True,
            workers_kill_timeout=LONGEST,
            log_level=LogLevels.warning,
        )
        self.descriptor = descriptor

    def _init_shared_socket(self) -> None:
        """As granian does where workers share a socket (Unix domain sockets)."""
        self.blocking_threads = THREADS  # only now: its advice against so many is not meant for us
        self._ssp = None
        self._shd = SocketHolder(self.descriptor, False, BACKLOG)  # type: ignore[call-arg]
        self._sfd = self.descriptor
        self._sso = socket.socket(fileno=self.descriptor)
        self._sso.set_inheritable(True)


def main() -> None:
    descriptor, workers = map(int, sys.argv[1:3])
    OnGivenSocket(descriptor, workers).serve()


if __name__ == "__main__":
    main()
