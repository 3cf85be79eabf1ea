"""Settings from the environment, frozen. Every field is ``LOYALTY_<NAME>`` in capitals."""

from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import quote

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict


def _sqlite_url(data_dir: Path) -> str:
    return f"sqlite://{quote(str((data_dir / 'loyalty.sqlite3').absolute()))}"


class Settings(BaseSettings):
    """How one process runs. ``loyalty doctor`` prints them and says what is wrong."""

    model_config = SettingsConfigDict(
        env_prefix="LOYALTY_", frozen=True, extra="ignore", hide_input_in_errors=True
    )

    environment: Literal["production", "development", "demo"] = "production"
    """production refuses introspection and GraphiQL to anonymous callers; demo serves the
    demo shop's pages."""

    data_dir: Path = Path("var")
    """Folder for model artifacts, and for the SQLite file where no database is named."""

    database_url: str = Field(default_factory=lambda settings: _sqlite_url(settings["data_dir"]))
    """``sqlite:///absolute/path`` (one server process) or
    ``postgresql://user:password@host/name``; ``loyalty.sqlite3`` in the data folder by default."""

    redis_url: str | None = None
    """``redis://host:port/0``; unset: an in-process cache; ``off``: no cache."""

    secret_key: SecretStr = SecretStr("")
    """At least 32 characters; quotes are signed and shop secrets derived with it. Required to
    serve."""

    host: str = "127.0.0.1"
    """Address to listen on."""

    port: int = Field(default=8321, ge=0, le=65_535)
    """Port to listen on; 0 takes a free one."""

    cors_origins: Annotated[tuple[str, ...], NoDecode] = ()
    """Origins of storefronts whose browsers may call, comma between; none by default."""

    body_bytes_max: int = Field(default=65_536, ge=1_024)
    """Longest request body, in bytes."""

    webhook_bytes_max: int = Field(default=1_048_576, ge=1_024)
    """Longest webhook body, in bytes."""

    webhook_tolerance_s: int = Field(default=300, ge=1)
    """How far a webhook's signed time may be from ours, in seconds."""

    shopper_token_ttl_s: int = Field(default=3_600, ge=60, le=86_400)
    """Lifetime of shopper tokens minted by ``loyalty token member``, in seconds; at most a day."""

    settle_every_s: int = Field(default=60, ge=0)
    """Seconds between two sweeps that book what time brought to members whom nobody asks about,
    so that subscribers hear of it; 0 for none. No answer depends on it."""

    purge_every_s: int = Field(default=3_600, ge=0)
    """Seconds between two sweeps that forget outcomes of idempotency keys older than 30 days; 0
    for none."""

    roots_every_s: int = Field(default=3_600, ge=0)
    """Seconds between two looks for days that have ended and need their root; 0 for none."""

    attribute_every_s: int = Field(default=300, ge=0)
    """Seconds between two looks for orders that owe something to recommendations; 0 for none."""

    attribution_days: int = Field(default=7, ge=1, le=30)
    """For how many days a purchase is owed to a click on a recommendation or its way into the
    cart."""

    attribution_seen_days: int = Field(default=1, ge=0, le=30)
    """For how many days a purchase is owed to a recommendation that was only shown; 0: never."""

    recommendation_events_days: int = Field(default=90, ge=62, le=3_650)
    """For how many days events of recommendations are kept; their counts by day and attributed
    sales stay. More than the longest life of a recommendation id and the longest time in which a
    purchase is owed together."""

    pool_size: int = Field(default=10, ge=1)
    """Database connections of one process."""

    languages_dir: Path | None = None
    """Folder of further languages for what shoppers read, one ``<tag>.toml`` each; one of a
    built-in language goes before it. None by default."""

    cache_timeout_ms: int = Field(default=200, ge=1)
    """Longest wait for the cache, in milliseconds, before doing without."""

    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """Least severe log lines to write."""

    @field_validator("cors_origins", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value
