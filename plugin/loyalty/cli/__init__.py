"""The command line, and what the demo and the tests start by themselves.

Nothing is imported here: ``loyalty --help`` and the tests' servers need next to nothing.
"""


def main() -> None:
    """``loyalty``, as the shell starts it; leaves with its exit code."""
    try:
        from loyalty.cli.root import invoke

        status = invoke()
    except KeyboardInterrupt:
        status = 130
    raise SystemExit(status)
