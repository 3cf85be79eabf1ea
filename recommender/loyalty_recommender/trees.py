"""Many small decision trees as arrays, asked by numpy alone.

Trained by a library that serving does not load (``boosting``); walked here for all rows and all
trees at once, one level at a time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from loyalty_recommender.arrays import AnyArray, Scores


@dataclass(frozen=True, slots=True, eq=False)
class Trees:
    """Nodes of all trees, one after the other; a leaf leads to itself."""

    roots: AnyArray
    """(trees,) int32."""
    column: AnyArray
    """(nodes,) int32: which feature a node looks at; any for a leaf."""
    threshold: NDArray[np.float64]
    """(nodes,): features up to it go to the first child, larger ones to the second."""
    child: AnyArray
    """(nodes, 2) int32."""
    value: Scores
    """(nodes,) what a leaf adds; 0 for an inner node."""
    depth: int
    """Levels below the roots."""

    @classmethod
    def of(cls, trees: Sequence[Mapping[str, Any]]) -> Self:
        """Take nested nodes: ``split_feature, threshold, left_child, right_child`` or
        ``leaf_value``."""
        roots: list[int] = []
        nodes: list[tuple[int, float, int, int, float]] = []
        deepest = 0

        def place(node: Mapping[str, Any], level: int) -> int:
            nonlocal deepest
            deepest = max(deepest, level)
            at = len(nodes)
            nodes.append((0, 0.0, at, at, float(node.get("leaf_value", 0.0))))
            if "left_child" in node:
                left, right = (
                    place(node[f"{side}_child"], level + 1) for side in ("left", "right")
                )
                nodes[at] = (int(node["split_feature"]), float(node["threshold"]), left, right, 0.0)
            return at

        for tree in trees:
            roots.append(place(tree, 0))
        column, threshold, left, right, value = zip(*nodes, strict=True) if nodes else ([],) * 5
        return cls(
            np.array(roots, dtype=np.int32),
            np.array(column, dtype=np.int32),
            np.array(threshold, dtype=np.float64),
            np.stack([np.array(left, np.int32), np.array(right, np.int32)], axis=1),
            np.array(value, dtype=np.float32),
            deepest,
        )

    def scores(self, features: Scores) -> Scores:
        """The sum of all trees for each row.

        Args:
            features: (rows, columns) float32.
        """
        rows = len(features)
        at = np.broadcast_to(self.roots, (rows, len(self.roots)))
        row = np.arange(rows)[:, None]
        for _ in range(self.depth):
            is_larger = features[row, self.column[at]] > self.threshold[at]
            at = self.child[at, is_larger.view(np.int8)]
        found: Scores = self.value[at].sum(axis=1)
        return found

    def arrays(self) -> dict[str, AnyArray]:
        """Everything by name."""
        return {
            "roots": self.roots,
            "column": self.column,
            "threshold": self.threshold,
            "child": self.child,
            "value": self.value,
            "depth": np.array([self.depth], dtype=np.int32),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, AnyArray]) -> Self:
        """Read everything back."""
        return cls(
            arrays["roots"],
            arrays["column"],
            arrays["threshold"],
            arrays["child"],
            arrays["value"],
            int(arrays["depth"][0]),
        )
