"""Points are integers of one point type; they meet money only in ``rates``."""

from typing import NewType

Points = NewType("Points", int)

POINTS_MAX = 2**53 - 1
"""Largest number of points in one amount; what a JSON number carries exactly."""
