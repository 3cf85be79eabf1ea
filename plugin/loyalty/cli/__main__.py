"""``python -m loyalty.cli``."""

from loyalty.cli import main

main()
