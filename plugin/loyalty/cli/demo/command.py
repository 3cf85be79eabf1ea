"""``loyalty demo``: a shop with a year of purchases, made ready and served by one command.

The purchases are "The Complete Journey", of whose package the notice is: "simulated data based on
real grocery shopping patterns", for "educational and exploratory data analysis purposes only".
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

PORT = 8321
"""Where the demo listens unless told otherwise."""


def command(
    folder: Annotated[
        Path | None,
        typer.Option("--dir", help="State folder; var/demo of the project by default."),
    ] = None,
    port: Annotated[
        int, typer.Option(envvar="PORT", min=0, max=65_535, help="0 takes a free one.")
    ] = PORT,
    households: Annotated[
        int | None,
        typer.Option(min=1, help="Load only that many of the 2,469 households, for a quick look."),
    ] = None,
) -> None:
    """Load the demo shop, train its recommender and serve it until Ctrl-C."""
    from loyalty.cli.demo.folder import project_folder
    from loyalty.cli.demo.run import run_demo

    state = folder or (project_folder() or Path.cwd()) / "var" / "demo"
    raise typer.Exit(run_demo(state, port, households))
