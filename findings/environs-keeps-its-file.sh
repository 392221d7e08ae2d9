#!/usr/bin/env bash
# Guess: environs' read_env puts the names of a .env file into os.environ, as it did for years (14.6.0 does), so that
# whatever reads the environment afterwards finds them.
# Seen (environs 15.2.0, and from 15.0.0 on): they stay inside the Env object. Its own methods find them, os.environ does
# not have them; settings that ask both ways take half of the file and say nothing about the other half.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
printf 'METRICS_TOKEN=written-in-the-file\n' > "$folder/names.env"
for version in 14.6.0 15.2.0; do
    python3 -m venv "$folder/$version"
    "$folder/$version/bin/pip" install --quiet --disable-pip-version-check "environs==$version"
    (cd "$folder" && "$folder/$version/bin/python" -c "
import os
from environs import Env

env = Env()
env.read_env('names.env', recurse=False)
print('$version', env.str('METRICS_TOKEN', 'nothing'), os.environ.get('METRICS_TOKEN', 'nothing'))") >> "$folder/seen"
done
cat "$folder/seen"
printf '14.6.0 written-in-the-file written-in-the-file\n15.2.0 written-in-the-file nothing\n' > "$folder/known"
cmp -s "$folder/seen" "$folder/known" || { echo "Changed: environs' read_env tells the environment something else now."; exit 1; }
