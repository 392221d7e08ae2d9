#!/usr/bin/env bash
# Guess: Celery's worker and beat load a Django project's apps and their tasks; they answer no request, so they never load
# its addresses and pages.
# Seen (celery 5.7.0, django 5.2.19, Python 3.11): as each of them starts it runs all of Django's system checks, whose check
# of addresses imports the root URLconf and with it every page; not with CELERY_SKIP_CHECKS set.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check celery==5.7.0 django==5.2.19
mkdir "$folder/desk"
touch "$folder/desk/__init__.py"
cat > "$folder/desk/settings.py" <<'PYTHON'
SECRET_KEY = "made up"
ROOT_URLCONF = "desk.urls"
USE_TZ = True
PYTHON
cat > "$folder/desk/urls.py" <<'PYTHON'
import os

os.write(1, b"pages imported\n")
urlpatterns = []
PYTHON
cat > "$folder/desk/app.py" <<'PYTHON'
import os

os.environ["DJANGO_SETTINGS_MODULE"] = "desk.settings"

from celery import Celery, signals

app = Celery("desk", broker="memory://")


@signals.worker_ready.connect
def end(sender, **_more):
    os.write(1, b"worker ready\n")  # print goes to the log by now
    sender.stop()


@signals.beat_init.connect
def end_beat(sender, **_more):
    os.write(1, b"beat ready\n")
    os._exit(0)
PYTHON

said() { # what a process of this kind prints until it is ready
    (cd "$folder" && timeout 60 "$folder/venv/bin/python" -m celery -A desk.app:app "$@" 2>/dev/null | grep -E "^(pages imported|worker ready|beat ready)$" | paste -sd ';' || true)
}

quick=(--pool solo --without-gossip --without-mingle --without-heartbeat)
as_it_is="$(said worker "${quick[@]}") | $(said beat -s "$folder/schedule")"
unchecked="$(CELERY_SKIP_CHECKS=1 said worker "${quick[@]}") | $(CELERY_SKIP_CHECKS=1 said beat -s "$folder/schedule")"
echo "as it is: $as_it_is; with CELERY_SKIP_CHECKS: $unchecked"
if [ "$as_it_is" != "pages imported;worker ready | pages imported;beat ready" ] || [ "$unchecked" != "worker ready | beat ready" ]; then
    echo "Changed: what Celery's processes load as they start is another now." >&2
    exit 1
fi
