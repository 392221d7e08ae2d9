#!/usr/bin/env bash
# Guess: sending a websocket message while nothing is logged composes no words for the log.
# Seen (autobahn 26.10.2, twisted 26.10.0, click 8.5.1, Python 3.11): with click installed, which Celery brings along, each
# message that is sent has several words coloured for a debug line before anybody asks whether debug lines are wanted: more
# of its time than framing. A message prepared for many connections still does it for each of them.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check autobahn==26.10.2 twisted==26.10.0 click==8.5.1
cat > "$folder/look.py" <<'PYTHON'
import click

coloured = 0
style = click.style


def counting(*arguments, **more):
    global coloured
    coloured += 1
    return style(*arguments, **more)


click.style = counting

from autobahn.twisted.websocket import WebSocketServerFactory, WebSocketServerProtocol
from twisted.internet.testing import StringTransport

factory = WebSocketServerFactory()
factory.protocol = WebSocketServerProtocol
connection, transport = factory.buildProtocol(None), StringTransport()
connection.makeConnection(transport)
connection.dataReceived(
    b"GET / HTTP/1.1\r\nHost: desk\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
assert connection.state == connection.STATE_OPEN, transport.value()
before = coloured
for _ in range(10):
    connection.sendMessage(b"trade")
plain = coloured - before
prepared = factory.prepareMessage(b"trade")
before = coloured
for _ in range(10):
    connection.sendPreparedMessage(prepared)
print(f"words coloured for ten messages: {plain}; for ten prepared ones: {coloured - before}")
PYTHON
seen=$(cd "$folder" && "$folder/venv/bin/python" look.py)
echo "$seen"
if [ "$seen" != "words coloured for ten messages: 40; for ten prepared ones: 40" ]; then
    echo "Changed: autobahn no longer colours words for log lines that nobody gets." >&2
    exit 1
fi
