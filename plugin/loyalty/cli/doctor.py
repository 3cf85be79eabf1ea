"""``loyalty doctor``: what would keep this installation from working, and what to do about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from loyalty.cli.context import AsJson, Folder, print_json, run

if TYPE_CHECKING:
    from loyalty.cli.doctor_checks import Finding


def command(folder: Folder = None, as_json: AsJson = False) -> None:
    """Check settings, database, cache, model, disk and time zones; exit code 1 if one fails."""
    from loyalty.cli.doctor_checks import findings

    found = run(findings(folder))
    if as_json:
        print_json(
            [
                {"check": one.check, "state": one.state, "found": one.found, "todo": one.todo}
                for one in found
            ]
        )
    else:
        _print(found)
    if any(one.state == "fail" for one in found):
        raise typer.Exit(1)


def _print(found: list[Finding]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    styles = {"ok": "green", "warn": "yellow", "fail": "bold red"}
    table = Table("check", "", "found", "what to do", box=box.SIMPLE_HEAD, pad_edge=False)
    for one in found:
        state = Text(one.state, style=styles[one.state])
        table.add_row(one.check, state, Text(one.found), Text(one.todo))
    console = Console()
    if not console.is_terminal:
        console.width = 500
    console.print(table)
