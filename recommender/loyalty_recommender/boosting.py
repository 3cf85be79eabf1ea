"""The only module that speaks LightGBM, which is an extra: ``storefront-loyalty[boosted]``."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from loyalty_recommender.arrays import AnyArray, Scores
from loyalty_recommender.errors import FitFailed
from loyalty_recommender.trees import Trees

TRUNCATION = 20
"""How far down a list two products may change places and still be learned from."""


def boosted_trees(
    features: Scores,
    bought: AnyArray,
    sizes: AnyArray,
    *,
    trees: int,
    leaves: int,
    depth: int,
    learning_rate: float,
    rows_min: int,
    seed: int,
    progress: Callable[[float], None],
) -> Trees:
    """Learn trees that put what was bought first in each list.

    Args:
        features: (rows, columns) float32, list after list.
        bought: (rows,) 0 or 1.
        sizes: (lists,) rows of each list.
        rows_min: rows that a leaf needs at least.
        progress: told the share of the trees that are grown.

    Raises:
        FitFailed: LightGBM is not installed.

    Source: Burges, "From RankNet to LambdaRank to LambdaMART: An Overview", MSR-TR-2010-82;
    grown by LightGBM, in one thread, so that the same purchases give the same trees.
    """
    try:
        import lightgbm
    except (ImportError, OSError) as error:
        raise FitFailed(
            "boosted trees need LightGBM, wanted storefront-loyalty[boosted] installed, "
            f"found: {error}"
        ) from error
    settings = {
        "objective": "lambdarank",
        "lambdarank_truncation_level": TRUNCATION,
        "learning_rate": learning_rate,
        "num_leaves": leaves,
        "max_depth": depth,
        "min_data_in_leaf": rows_min,
        "feature_fraction": 0.7,
        "bagging_fraction": 0.7,
        "bagging_freq": 1,
        "seed": seed,
        "deterministic": True,
        "force_row_wise": True,
        "num_threads": 1,
        "verbose": -1,
    }

    def grown(state: lightgbm.callback.CallbackEnv) -> None:
        progress((state.iteration + 1) / trees)

    model = lightgbm.train(
        settings,
        lightgbm.Dataset(features, bought.astype(np.int32), group=sizes),
        trees,
        callbacks=[grown],
    )
    return Trees.of([tree["tree_structure"] for tree in model.dump_model()["tree_info"]])
