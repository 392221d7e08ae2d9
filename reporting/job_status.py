"""How the jobs are doing: when each last succeeded, how many wait. Kept in Redis: what is lost there is noted anew."""

from __future__ import annotations

from contextlib import suppress
from functools import cache

import redis
from django.conf import settings

from market import clock

KEY = "desk:jobs"
SECONDS = 1.0


@cache
def _client(url: str) -> redis.Redis:
    return redis.Redis.from_url(url, socket_timeout=SECONDS, socket_connect_timeout=SECONDS, decode_responses=True)


def note(job: str) -> None:
    """The job succeeded now. Never an error: a job must not fail for that."""
    with suppress(redis.RedisError, OSError):
        _client(settings.REDIS_URL).hset(KEY, job, str(clock.desk.posix()))


def successes() -> dict[str, float]:
    """Job -> when it last succeeded by the desk's time, POSIX seconds. Raises redis.RedisError when Redis is away."""
    return {str(job): float(at) for job, at in _client(settings.REDIS_URL).hgetall(KEY).items()}


def waiting() -> int:
    """How many jobs wait for a worker. Raises redis.RedisError when Redis is away."""
    return int(_client(settings.REDIS_URL).llen(settings.CELERY_TASK_DEFAULT_QUEUE))
