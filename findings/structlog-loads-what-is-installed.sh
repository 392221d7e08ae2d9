#!/usr/bin/env bash
# Guess: structlog set up to write JSON lines loads what JSON lines need; a library that only colours a terminal's errors
# is loaded when they are first coloured.
# Seen (structlog 26.1.0, rich 15.0.0, twisted 26.10.0, Python 3.11): `import structlog` by itself loads all of rich (its
# highlighter with it) and twisted's logging, wherever some other tool has brought them: 170 modules become 350.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
pip=("$folder/venv/bin/pip" install --quiet --disable-pip-version-check)
count='import sys, structlog
structlog.configure(processors=[structlog.processors.JSONRenderer()])
structlog.get_logger().info("ready")
print(sorted({"rich", "pygments", "twisted"} & set(sys.modules)), len(sys.modules))'
"${pip[@]}" structlog==26.1.0
alone=$("$folder/venv/bin/python" -c "$count" | tail -1)
"${pip[@]}" rich==15.0.0 twisted==26.10.0
beside=$("$folder/venv/bin/python" -c "$count" | tail -1)
echo "structlog alone: $alone modules; beside rich and twisted: $beside modules"
if [ "${alone%]*}" != "[" ] || [ "${beside%]*}" != "['pygments', 'rich', 'twisted'" ]; then
    echo "Changed: structlog loads something else now." >&2
    exit 1
fi
