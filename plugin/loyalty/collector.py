"""Python's collector of cycles, as a server process wants it."""

import gc
from typing import Final

NEW_MAX: Final = 5_000
"""New containers after which the collector looks at them; Python's own number is 700."""


def spare_what_stays() -> None:
    """Have the collector look at what requests make, and not at the program any more.

    Called once, when everything is loaded: some hundred thousand objects that stay for as long as
    the process, through which each full collection would go again. A request makes few cycles and
    many short-lived values, so looking seven times less often costs nothing but a few kilobytes.
    Together it is a sixth of the CPU of a checkout over HTTP (``benchmarks/collector.py``).
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(NEW_MAX, 10, 10)
