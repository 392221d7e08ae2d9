# One image for all processes (Procfile); the command chooses. Built in two stages: no compiler, no pip cache, nothing of
# tests or laptops in the image that runs. It runs as an unprivileged user, from a root that may be read-only: only
# /journal (a listener's) and /tmp are written to.
# To pin the base by digest as well: docker buildx imagetools inspect python:3.13.9-slim-bookworm, then
# FROM python:3.13.9-slim-bookworm@sha256:…, in both places.
FROM python:3.13.9-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /app
COPY requirements.txt ./
RUN python -m venv /venv && /venv/bin/pip install --require-hashes --only-binary :all: -r requirements.txt
COPY . .
# Any key and any addresses do: collecting files asks no server. Compiled once here, because a read-only root can't keep
# what each start would compile. What stands in for the outside on laptops stays out.
RUN /venv/bin/python -m local.checks.catalogues && rm -r local \
    && SECRET_KEY=collect DATABASE_URL=postgres://none/none REDIS_URL=redis://none \
    /venv/bin/python manage.py collectstatic --noinput \
    && /venv/bin/python -m compileall -q .

FROM python:3.13.9-slim-bookworm
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 TRADE_JOURNAL_DIR=/journal ALIVE_FILE=/tmp/alive
RUN useradd --uid 10001 --no-create-home desk && install -d -o desk -g desk /journal
COPY --from=build /venv /venv
COPY --from=build /app /app
WORKDIR /app
USER 10001
# Fargate makes what is mounted here as open as it is in the image only if it is named so.
VOLUME /tmp
EXPOSE 8000
# The web process's; the others' stand beside their commands (compose.yaml, deploy/aws).
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=3 CMD ["python", "-I", "reporting/alive.py", "web"]
CMD ["daphne", "-b", "0.0.0.0", "-p", "8000", "--ping-interval", "10", "--ping-timeout", "20", "--websocket-max-message-size", "1048576", "--websocket-max-frame-size", "4096", "reporting.asgi:application"]
