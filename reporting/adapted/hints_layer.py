"""The channel layer of channels-redis, which waits for a message instead of looking for one ten times a second.

A look wakes the process, and costs as much as a small message: some hundredths of all that a web process does in an
ordinary minute. The layer has no setting for it.
"""

from __future__ import annotations

from typing import Any

from channels_redis.pubsub import RedisPubSubChannelLayer, RedisSingleShardConnection
from redis.asyncio.client import PubSub

LONGEST_WAIT = 5.0
"""Seconds. A message ends the wait, and so does the end of the connection."""


class _PatientPubSub(PubSub):
    async def get_message(  # redis-py's
        self,
        ignore_subscribe_messages: bool = False,
        timeout: float | None = 0.0,  # noqa: ASYNC109
    ) -> Any:
        return await super().get_message(ignore_subscribe_messages, max(timeout or 0.0, LONGEST_WAIT))


class _PatientConnection(RedisSingleShardConnection):  # type: ignore[misc]  # it has no types
    def _ensure_redis(self) -> None:
        if self._redis is None:
            super()._ensure_redis()
            client: Any = self._redis
            self._pubsub = _PatientPubSub(client.connection_pool)


class PatientChannelLayer(RedisPubSubChannelLayer):  # type: ignore[misc]
    def _get_layer(self) -> Any:
        layer = super()._get_layer()
        for shard in layer._shards:
            shard.__class__ = _PatientConnection
        return layer
