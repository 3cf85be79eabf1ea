"""The command line, and what the demo and the tests start by themselves.

Nothing is imported here: ``loyalty --help`` and the tests' servers need next to nothing.
"""

import os


def main() -> None:
    """``loyalty``, as the shell starts it; leaves with its exit code."""
    # The recommender multiplies small matrices: in two threads an answer took twice the CPU and
    # no less time. OpenBLAS looks at this once, when numpy is imported.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    try:
        from loyalty.cli.root import invoke

        status = invoke()
    except KeyboardInterrupt:
        status = 130
    raise SystemExit(status)
