#!/usr/bin/env bash
# Guess: an address with two servers, as libpq documents it (postgres://a,b:5433/desk), is either understood or refused by
# the library that Django projects read DATABASE_URL with.
# Seen (dj-database-url 3.1.2, psycopg 3.3.9): a port behind the last server alone becomes the port of both, in silence, and
# libpq then asks the first one at it; a port behind each is refused.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  dj-database-url==3.1.2 "psycopg[binary]==3.3.9" Django==5.2.19
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import dj_database_url
from psycopg.conninfo import conninfo_to_dict

PORT_OF_THE_LAST = "postgres://desk@db1.example,db2.example:5433/desk"
PORT_OF_EACH = "postgres://desk@db1.example:5432,db2.example:5433/desk"

meant = conninfo_to_dict(PORT_OF_THE_LAST)["port"]
read = dj_database_url.parse(PORT_OF_THE_LAST)["PORT"]
try:
    dj_database_url.parse(PORT_OF_EACH)
    refused = False
except Exception:
    refused = True
print(f"libpq reads the ports “{meant}”, dj-database-url “{read}”; a port behind each is refused: {refused}")
if (meant, str(read), refused) != (",5433", "5433", True):
    sys.exit("Changed: addresses with two servers are read in another way now.")
PYTHON
