"""How this process reaches Redis: settings of its connections, and what an outage looks like."""

from collections.abc import Awaitable, Callable
from typing import Any, Final, Protocol

from redis.asyncio.connection import ConnectionPool, parse_url
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError
from redis.maint_notifications import MaintNotificationsConfig

# A checkout waits no longer than this for the cache, once per outage.
DEADLINE_S: Final = 0.2
CONNECTIONS_MAX: Final = 64

# What redis-py raises on purpose; it stumbles over some answers with other errors.
OUTAGE: Final = (RedisError, OSError, TimeoutError)
_SILENT: Final = (RedisTimeoutError, TimeoutError)
_UNUSABLE: Final = (RedisConnectionError, RedisTimeoutError)


def is_silent(error: BaseException) -> bool:
    """Whether the server took all its time and said nothing."""
    return isinstance(error, _SILENT)


def is_outage(error: BaseException) -> bool:
    """Whether the server cannot be used; otherwise it answered, only not as hoped.

    One that is loading or refuses the password cannot be used, nor one that says what redis-py
    trips over: a handshake answered with OK ends in an AttributeError there.
    """
    return not isinstance(error, RedisError) or isinstance(error, _UNUSABLE)


def connection_pool(url: str, *, connections_max: int, deadline_s: float) -> ConnectionPool:
    """A pool that never waits for a free connection and never tries again by itself.

    Args:
        url: ``redis://``, ``rediss://`` or ``unix://``; of its query only what names the server
            and the caller counts, our limits cannot be overridden there.
        deadline_s: limit for opening a connection. Commands carry one limit for everything they
            do, which is stricter than a limit per read and spares redis-py a task per write
            (86 instead of 99 microseconds of CPU per GET).

    Raises:
        ValueError: the URL cannot be understood.
    """
    settings: dict[str, Any] = dict(parse_url(url))
    settings.update(
        protocol=3,
        decode_responses=False,
        retry=Retry(NoBackoff(), 0),
        socket_connect_timeout=deadline_s,
        socket_timeout=None,
        health_check_interval=0,
        # Both cost a round trip per new connection and change nothing for us.
        driver_info=None,
        maint_notifications_config=MaintNotificationsConfig(enabled=False),
        max_connections=connections_max,
    )
    return ConnectionPool(**settings)


class PushConnection(Protocol):
    """What we use of a connection of redis-py on which the server speaks first."""

    @property
    def is_connected(self) -> bool: ...

    async def connect(self) -> None: ...

    async def disconnect(self, nowait: bool = False) -> None: ...

    async def send_command(self, *args: str, check_health: bool = True) -> None: ...

    # A function that answers an awaitable: the name of its time limit is redis-py's, not ours.
    def read_response(
        self,
        *,
        timeout: float | None = None,
        disconnect_on_error: bool = True,
        push_request: bool = False,
    ) -> Awaitable[Any]:
        """The next thing said; None when ``timeout`` seconds passed in silence."""


def push_connection(pool: ConnectionPool) -> PushConnection:
    """A connection beside the pool, not yet open, that hands out invalidations like messages."""
    make: Callable[[], Any] = pool.make_connection
    connection = make()
    # redis-py has no public way to receive invalidations with asyncio.
    connection._parser.set_invalidation_push_handler(_passed_on)
    opened: PushConnection = connection
    return opened


async def _passed_on(spoken: Any) -> Any:
    return spoken
