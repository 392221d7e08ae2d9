# One image for all four processes (Procfile); the command chooses. Built in two stages: no compiler, no pip cache,
# nothing of tests or laptops in the image that runs.
FROM python:3.13-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /app
COPY requirements.txt ./
RUN python -m venv /venv && /venv/bin/pip install --require-hashes --only-binary :all: -r requirements.txt
COPY . .
# Any key and any addresses do: collecting files asks no server.
RUN /venv/bin/python -m local.catalogues
RUN SECRET_KEY=collect DATABASE_URL=postgres://none/none REDIS_URL=redis://none \
    /venv/bin/python manage.py collectstatic --noinput

FROM python:3.13-slim-bookworm
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 TRADE_JOURNAL_DIR=/journal
RUN useradd --uid 10001 --no-create-home desk && install -d -o desk -g desk /journal
COPY --from=build /venv /venv
COPY --from=build /app /app
WORKDIR /app
USER 10001
VOLUME /journal
EXPOSE 8000
CMD ["daphne", "-b", "0.0.0.0", "-p", "8000", "--ping-interval", "10", "--ping-timeout", "20", "--websocket-max-message-size", "1048576", "--websocket-max-frame-size", "4096", "reporting.asgi:application"]
