"""What the demo prints once it serves: where to look, and with what."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from loyalty.cli.demo.folder import DemoFolder
    from loyalty.cli.demo.prepare import Prepared


def banner(url: str, folder: DemoFolder, prepared: Prepared, took_s: float) -> str:
    """The text, with the tokens each on a line of its own."""
    program = Path(sys.argv[0])
    loyalty = "python -m loyalty.cli" if program.suffix == ".py" else _shown(program)
    state = _shown(folder.path)
    member = prepared.members[0]
    return f"""
The demo shop is open (after {took_s:.1f} s).

  Storefront  {url}/shop/
  GraphiQL    {url}/graphiql/   the merchant's: {url}/admin/graphiql/
  Health      {url}/health/ready

  Authorization: Bearer …
  member {member.external_id}, until {prepared.token_expires:%Y-%m-%d %H:%M} UTC
    {prepared.member_token}
  checkout service
    {prepared.checkout_key}
  merchant
    {prepared.merchant_key}

  The page renews its own token. For a new one:
    {loyalty} token member {member.external_id} --dir {state}
    {loyalty} key create --name mine --scopes checkout:quote,checkout:write --dir {state}

  Codes to enter in the cart:
{_codes(prepared)}

{prepared.notice}

Ctrl-C stops everything."""


def _codes(prepared: Prepared) -> str:
    return "\n".join(f"    {one.code}   {one.label}" for one in prepared.codes)


def _shown(path: Path) -> str:
    """As short as it can be typed from here, in quotes where a shell wants them."""
    absolute = path.absolute()
    try:
        relative = absolute.relative_to(Path.cwd())
    except ValueError:
        return shlex.quote(str(absolute))
    return shlex.quote(os.path.join(".", relative) if len(relative.parts) == 1 else str(relative))
