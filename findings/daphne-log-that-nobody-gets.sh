#!/usr/bin/env bash
# Guess: daphne without --access-log composes no line of the access log.
# Seen (daphne 4.2.3, twisted 26.10.0, Python 3.11): twisted, below it, composes one of every answer and writes it to its own
# log, whose observers daphne never starts: the line is made, and nobody gets it.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check daphne==4.2.3 twisted==26.10.0
cat > "$folder/look.py" <<'PYTHON'
import os
import socket
import subprocess
import sys
import time
import urllib.request

APP = '''
from twisted.web import http

composed = 0
compose = http.combinedLogFormatter


def counting(stamp, request):
    global composed
    composed += 1
    return compose(stamp, request)


init = http.HTTPFactory.__init__


def with_counter(self, *arguments, **more):
    init(self, *arguments, **more)
    self._logFormatter = counting


http.HTTPFactory.__init__ = with_counter


async def app(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": str(composed).encode()})
'''
with open("app.py", "w") as file:
    file.write(APP)
with socket.socket() as probe:
    probe.bind(("127.0.0.1", 0))
    port = probe.getsockname()[1]
argv = [sys.executable, "-m", "daphne", "-v", "0", "-p", str(port), "app:app"]
server = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env={**os.environ, "PYTHONPATH": "."})


def ask():
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5) as answer:
        return int(answer.read())


deadline = time.monotonic() + 30
while True:
    try:
        first = ask()
        break
    except OSError:
        if time.monotonic() > deadline:
            raise
        time.sleep(0.05)
for _ in range(10):
    last = ask()
server.terminate()
said = server.communicate()[0].decode()
print(f"lines composed for ten answers: {last - first}; of them printed: {said.count('GET / HTTP')}")
PYTHON
seen=$(cd "$folder" && "$folder/venv/bin/python" look.py)
echo "$seen"
if [ "$seen" != "lines composed for ten answers: 10; of them printed: 0" ]; then
    echo "Changed: daphne's answers no longer have an access line composed that nobody gets." >&2
    exit 1
fi
