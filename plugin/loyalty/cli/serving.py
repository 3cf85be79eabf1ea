"""``loyalty serve``: the command; what it does is in ``serve``."""

from __future__ import annotations

from typing import Annotated

import typer

from loyalty.cli.context import settings_of


def command(
    host: Annotated[
        str | None, typer.Option(help="Address to listen on, instead of LOYALTY_HOST.")
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(min=0, max=65_535, help="Port, instead of LOYALTY_PORT; 0 takes a free one."),
    ] = None,
) -> None:
    """Serve until SIGTERM or Ctrl-C. Settings come from the environment, logs go to stderr."""
    from loyalty.cli.serve import serve

    given = {"host": host, "port": port}
    update = {name: value for name, value in given.items() if value is not None}
    settings = settings_of(None).model_copy(update=update)
    status = serve(settings, ready=lambda url: print(f"serving at {url}", flush=True))
    raise typer.Exit(status)
