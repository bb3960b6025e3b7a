"""A connection is asked whether it lives before its first use in a request, without a round trip.

Django sends `SELECT 1`, which costs every request one more. A server that ended a session has
closed its socket, and says so before anybody asks: a socket on which something waits to be read,
while we asked for nothing, is not to be trusted and is then asked the long way. Where a whole
network falls silent neither way notices; there the next statement fails, as it did before.
"""

from __future__ import annotations

import select

from django.db.backends.postgresql.base import DatabaseWrapper as PostgreSQL
from psycopg.pq import TransactionStatus


class DatabaseWrapper(PostgreSQL):
    def is_usable(self) -> bool:
        connection = self.connection
        if connection is None or connection.closed:
            return False
        if connection.pgconn.transaction_status != TransactionStatus.IDLE:
            return bool(super().is_usable())
        waiting = select.poll()
        waiting.register(connection.pgconn.socket, select.POLLIN)
        if not waiting.poll(0):
            return True
        return bool(super().is_usable())
