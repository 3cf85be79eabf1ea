"""The checks of ``loyalty doctor``: each looks at one thing and never raises."""

from __future__ import annotations

import os
import shutil
import sys
import zoneinfo
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Literal

from loyalty.cache import open_cache
from loyalty.cache.null import NullCache
from loyalty.cli.bad_settings import BadSettings
from loyalty.cli.context import log_warnings, opened, secret_of, settings_of
from loyalty.clock import SystemClock
from loyalty.domain.registry import Registry, installed
from loyalty.errors import BadRuleset, LoyaltyError, NotFound
from loyalty.services.recommendations.served_model import ServedModels
from loyalty.services.rulesets import Rulesets
from loyalty.services.tenants import Tenant, Tenants
from loyalty.settings import Settings
from loyalty.storage.database import Database, sqlite_path
from loyalty.storage.guards import guards_missing

NOT_SETTINGS = {"LOYALTY_EMBEDDED_USER_NAMESPACE"}
"""Variables of ours that are no settings of a server."""
ZONES = ("UTC", "Europe/Budapest", "America/New_York", "Asia/Shanghai")
"""Zones that any time zone data knows."""
DISK_WARN_MIB = 1_024
DISK_FAIL_MIB = 100
MODEL_AGE_WARN = timedelta(days=14)
VERSIONS_MAX = 100
"""Versions of a program that are read, the latest first."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report; ``todo`` is empty when all is well."""

    check: str
    state: Literal["ok", "warn", "fail"]
    found: str
    todo: str = ""


async def findings(folder: Path | None) -> list[Finding]:
    """Everything that could be looked at; what rests on a failed check is left out."""
    kinds, registry = _kinds()
    found = [_python(), _zones(), kinds]
    try:
        settings = settings_of(folder)
    except LoyaltyError as error:
        return [*found, Finding("settings", "fail", str(error), "correct the value")]
    log_warnings(settings)
    found += [_settings(), _secret(settings), *_disk(settings), await _cache(settings)]
    found += [one async for one in _database(settings, registry)]
    return found


def _python() -> Finding:
    return Finding("Python", "ok", f"{sys.version.split()[0]} on {sys.platform}")


def _zones() -> Finding:
    try:
        for name in ZONES:
            zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, OSError) as error:
        todo = "install the system's tzdata, or the package tzdata beside this one"
        return Finding("time zones", "fail", str(error), todo)
    return Finding("time zones", "ok", f"{len(zoneinfo.available_timezones())} zones")


def _kinds() -> tuple[Finding, Registry | None]:
    try:
        registry = installed()
    except Exception as error:
        # Whatever a third party's module raises while it is imported.
        todo = "remove or repair the distribution that offers it"
        return Finding("kinds", "fail", f"{type(error).__name__}: {error}", todo), None
    conditions, rewards = len(registry.conditions.by_name), len(registry.rewards.by_name)
    return Finding("kinds", "ok", f"{conditions} of condition, {rewards} of reward"), registry


def _settings() -> Finding:
    known = {f"LOYALTY_{name.upper()}" for name in Settings.model_fields} | NOT_SETTINGS
    unknown = sorted(
        name for name in os.environ if name.startswith("LOYALTY_") and name not in known
    )
    if unknown:
        todo = "they have no effect: see docs/operating/configure.md for the names"
        return Finding("settings", "warn", f"unknown: {', '.join(unknown)}", todo)
    given = sorted(known & os.environ.keys())
    return Finding("settings", "ok", ", ".join(given) or "all by default")


def _secret(settings: Settings) -> Finding:
    try:
        secret_of(settings)
    except BadSettings as error:
        return Finding("secret key", "fail", str(error), "without it nothing can be served")
    text = settings.secret_key.get_secret_value()
    if len(set(text)) < 10:
        todo = "make a random one: openssl rand -hex 32"
        return Finding("secret key", "warn", f"only {len(set(text))} different characters", todo)
    return Finding("secret key", "ok", f"{len(text)} characters")


def _disk(settings: Settings) -> list[Finding]:
    places = {_existing(settings.data_dir)}
    if settings.database_url.startswith("sqlite:"):
        # Of a path that is none the check of the database tells.
        with suppress(LoyaltyError):
            places.add(_existing(sqlite_path(settings.database_url)))
    return [_space(place) for place in sorted(places)]


def _existing(path: Path) -> Path:
    """The folder that holds it, or will."""
    path = path.absolute()
    while not path.is_dir():
        path = path.parent
    return path


def _space(folder: Path) -> Finding:
    free_mib = shutil.disk_usage(folder).free // 2**20
    found = f"{free_mib:,} MiB free in {folder}"
    if not os.access(folder, os.W_OK | os.X_OK):
        return Finding("disk", "fail", f"{folder} may not be written", "give it to this user")
    if free_mib < DISK_FAIL_MIB:
        return Finding("disk", "fail", found, f"at least {DISK_FAIL_MIB} MiB are wanted")
    if free_mib < DISK_WARN_MIB:
        return Finding("disk", "warn", found, "make room before it fills up")
    return Finding("disk", "ok", found)


async def _cache(settings: Settings) -> Finding:
    if settings.redis_url == "off":
        return Finding("cache", "ok", "switched off")
    if settings.redis_url in (None, "memory://"):
        if settings.database_url.startswith("sqlite:"):
            return Finding("cache", "ok", "in each process")
        todo = "with several server processes, name a Redis or Valkey in LOYALTY_REDIS_URL"
        return Finding("cache", "warn", "in each process, not shared", todo)
    try:
        cache = open_cache(settings.redis_url, deadline_s=max(1, settings.cache_timeout_ms / 1_000))
    except ValueError as error:
        return Finding("cache", "fail", str(error), "correct LOYALTY_REDIS_URL")
    try:
        answers = await cache.check()
    finally:
        await cache.close()
    if not answers:
        todo = "everything works without, but slower and without live updates: start it"
        return Finding("cache", "warn", "Redis does not answer", todo)
    return Finding("cache", "ok", "Redis answers")


async def _database(settings: Settings, registry: Registry | None) -> AsyncIterator[Finding]:
    async with AsyncExitStack() as stack:
        try:
            database = await stack.enter_async_context(opened(settings))
        except LoyaltyError as error:
            todo = "" if "loyalty migrate" in str(error) else "check LOYALTY_DATABASE_URL"
            yield Finding("database", "fail", str(error), todo)
            return
        try:
            yield Finding("database", "ok", f"{database.dialect}, migrated")
            yield await _guards(database)
            clock = SystemClock()
            tenants = await Tenants(database, clock).all()
            if not tenants:
                todo = "make one: loyalty tenant create CODE --name NAME"
                yield Finding("tenants", "warn", "none yet", todo)
            for tenant in tenants:
                if registry is not None:
                    yield await _program(Rulesets(database, NullCache(), registry, clock), tenant)
                yield await _model(database, settings, tenant)
        except LoyaltyError as error:
            yield Finding("database", "fail", str(error), "look at the database's own log")


async def _guards(database: Database) -> Finding:
    missing = await guards_missing(database)
    if missing:
        todo = "booked rows could be changed: restore the triggers of the migration"
        return Finding("append-only", "fail", f"not guarded: {', '.join(missing)}", todo)
    return Finding("append-only", "ok", "the database refuses changes of the ledger")


async def _program(rulesets: Rulesets, tenant: Tenant) -> Finding:
    """Whether its rules still read: a distribution whose kind they name may be gone."""
    check = f"program of {tenant.code}"
    try:
        current = await rulesets.current(tenant.id)
    except NotFound:
        todo = f"publish one: loyalty program publish FILE --tenant {tenant.code}"
        return Finding(check, "warn", "none published", todo)
    except BadRuleset as error:
        todo = "nothing can be quoted or booked: install what brings the kind, or publish without"
        return Finding(check, "fail", "; ".join(error.problems), todo)
    found = f"version {current.version}: {current.name}"
    unread = []
    for one in await rulesets.history(tenant.id, VERSIONS_MAX):
        try:
            await rulesets.version(tenant.id, one.version)
        except BadRuleset:
            unread.append(str(one.version))
    if unread:
        todo = "orders judged by it cannot be refunded: install what brings the kinds it names"
        return Finding(check, "warn", f"{found}; cannot be read: {', '.join(unread)}", todo)
    return Finding(check, "ok", found)


async def _model(database: Database, settings: Settings, tenant: Tenant) -> Finding:
    check = f"model of {tenant.code}"
    train = f"loyalty train --tenant {tenant.code}"
    folder = settings.data_dir / "models"
    served = await ServedModels(database, folder).current(tenant.id)
    if served is None:
        broken = (folder / str(tenant.id) / "current").exists()
        found = "it cannot be read" if broken else "none yet: popularity answers"
        return Finding(check, "warn", found, f"train one: {train}")
    age = SystemClock().now() - served.recommender.trained_at
    found = f"{served.recommender.model_id}, {age.days} days old"
    if age > MODEL_AGE_WARN:
        return Finding(check, "warn", found, f"train again: {train}")
    return Finding(check, "ok", found)
