"""``loyalty``: all commands together, and how their failures are told.

A command's module is light; what it works with is imported when it runs.
"""

from __future__ import annotations

import errno
import sys
from collections.abc import Callable
from functools import cache
from importlib.metadata import version
from typing import Annotated

import typer

from loyalty.cli import (
    audit,
    coupon,
    doctor,
    gift_card,
    imports,
    issuer,
    jobs,
    key,
    ledger,
    member,
    migrate,
    models,
    offers,
    program,
    schema,
    serving,
    stock,
    tenant,
    token,
    train,
    webhook,
)
from loyalty.cli.demo.command import command as demo
from loyalty.cli.embedded_process import EmbeddedServerError
from loyalty.errors import BadRuleset, LoyaltyError

app = typer.Typer(
    name="loyalty",
    help="A loyalty program for storefronts: its server, its data and its keys.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("demo")(demo)
app.command("serve")(serving.command)
app.command("migrate")(migrate.command)
app.command("doctor")(doctor.command)
app.add_typer(tenant.app, name="tenant")
app.add_typer(program.app, name="program")
app.add_typer(imports.app, name="import")
app.command("train")(train.command)
app.add_typer(models.app, name="model")
app.add_typer(jobs.app, name="jobs")
app.add_typer(token.app, name="token")
app.add_typer(issuer.app, name="issuer")
app.add_typer(key.app, name="key")
app.add_typer(webhook.app, name="webhook")
app.add_typer(member.app, name="member")
app.add_typer(coupon.app, name="coupon")
app.add_typer(gift_card.app, name="gift-card")
app.add_typer(offers.app, name="offers")
app.add_typer(stock.app, name="stock")
app.command("audit")(audit.command)
app.add_typer(ledger.app, name="ledger")
app.command("schema")(schema.command)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(version("storefront-loyalty"))
        raise typer.Exit


@app.callback()
def _root(
    show_version: Annotated[
        bool,
        typer.Option(
            "--version", help="Print the version.", callback=_print_version, is_eager=True
        ),
    ] = False,
) -> None:
    pass


@cache
def _tree() -> Callable[[], object]:
    """All commands with their options, which Typer reads from forty signatures."""
    return typer.main.get_command(app)


def invoke() -> int:
    """Run what the command line says; a failure that is not our bug is a sentence and status 1."""
    try:
        _tree()()
    except BadRuleset as error:
        # Several problems, each with its path: one line each.
        return _failed(*error.problems)
    except (LoyaltyError, EmbeddedServerError) as error:
        return _failed(str(error))
    except OSError as error:
        if error.errno not in _MACHINE:
            raise
        where = f": {error.filename}" if error.filename else ""
        return _failed(f"{error.strerror}{where}")
    except SystemExit as leaving:
        return leaving.code if isinstance(leaving.code, int) else 0
    return 0


_MACHINE = frozenset(
    {
        *(errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM),
        *(errno.ENOENT, errno.EISDIR, errno.ENOTDIR, errno.EEXIST, errno.EMFILE),
    }
)
"""Troubles of the machine or of a path that was typed, not of ours."""


def _failed(*sentences: str) -> int:
    for sentence in sentences:
        print(f"error: {sentence}", file=sys.stderr)
    return 1
