"""The array types of this package."""

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Indices: TypeAlias = NDArray[np.int32]
"""Positions in a vocabulary: of products or of members."""

Offsets: TypeAlias = NDArray[np.int64]
"""Row starts of a compressed sparse matrix, (rows + 1,)."""

Seconds: TypeAlias = NDArray[np.int64]
"""Instants as whole seconds since 1970-01-01T00:00:00Z."""

Scores: TypeAlias = NDArray[np.float32]

Mask: TypeAlias = NDArray[np.bool_]
"""One truth value per product of the model's vocabulary."""

AnyArray: TypeAlias = NDArray[Any]

DAY_S = 86_400
