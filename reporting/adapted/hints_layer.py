"""The channel layer of channels-redis, which waits for a message instead of looking for one ten times a second, and
tells a connection that has ended from one on which nothing was said.

A look wakes the process, and costs as much as a small message: some hundredths of all that a web process does in an
ordinary minute. The layer has no setting for it.

Where Redis' machine is gone, TCP ends the connection with a time-out of its own. redis-py 8.1 takes that for the
time-out of its wait, says at once that there is no message, and would say so for ever: the layer asks again and again
without a pause, and the web process answers nobody any more.
"""

from __future__ import annotations

from typing import Any

from channels_redis.pubsub import RedisPubSubChannelLayer, RedisSingleShardConnection
from redis.asyncio.client import PubSub
from redis.exceptions import ConnectionError as ConnectionEnded

LONGEST_WAIT = 5.0
"""Seconds. A message ends the wait, and so does the end of the connection."""


class _PatientPubSub(PubSub):
    is_heard = False
    """Whether the last wait ended without an error: the layer asks again, and says nothing of it."""

    async def get_message(  # redis-py's
        self,
        ignore_subscribe_messages: bool = False,
        timeout: float | None = 0.0,  # noqa: ASYNC109
    ) -> Any:
        try:
            message = await self._waited_for(ignore_subscribe_messages, max(timeout or 0.0, LONGEST_WAIT))
        except Exception:
            self.is_heard = False
            raise
        self.is_heard = True
        return message

    async def _waited_for(self, ignore_subscribe_messages: bool, seconds: float) -> Any:
        message = await super().get_message(ignore_subscribe_messages, seconds)
        connection: Any = self.connection
        if message is None and (ended := _what_ended(connection)) is not None:
            await connection.disconnect(nowait=True)  # the next wait connects anew
            raise ConnectionEnded(f"Redis does not answer any more: {ended}")
        return message


def _what_ended(connection: Any) -> Exception | None:
    """The error that has ended a connection of redis-py; None while it holds, or was never made."""
    reader = connection and connection._reader
    return reader.exception() if reader else None


class _PatientConnection(RedisSingleShardConnection):  # type: ignore[misc]  # it has no types
    def _ensure_redis(self) -> None:
        if self._redis is None:
            super()._ensure_redis()
            client: Any = self._redis
            self._pubsub = _PatientPubSub(client.connection_pool)


class PatientChannelLayer(RedisPubSubChannelLayer):  # type: ignore[misc]
    @property
    def is_heard(self) -> bool:
        """Whether Redis has answered whoever waits for messages on this event loop: a message may be lost while not."""
        return all(getattr(shard._pubsub, "is_heard", False) for shard in self._get_layer()._shards)

    def _get_layer(self) -> Any:
        layer = super()._get_layer()
        for shard in layer._shards:
            shard.__class__ = _PatientConnection
        return layer
