"""What can go wrong here, as one small tree.

RecommenderError
├── BadInteractions     columns that cannot be purchases
├── BadSettings         a setting outside its range
├── BadRequest          a question that no model can be asked
│   └── UnknownWindow
├── BadAnswer           a model broke the rules of the evaluation
├── FitFailed           the data or the library gave no usable model
└── ArtifactError
    ├── NoModel         nothing has been published where it was looked for
    └── BrokenArtifact  what was published is not what is there
        └── OlderFormat  it was, by an earlier version
"""


class RecommenderError(Exception):
    """Something the caller can act on; the message says what was found and what was wanted."""


class BadInteractions(RecommenderError, ValueError):
    """Columns that cannot be purchases: unequal lengths, empty ids, wrong types."""


class BadSettings(RecommenderError, ValueError):
    """A setting outside the range its documentation gives."""


class BadRequest(RecommenderError, ValueError):
    """A question no model can be asked, such as SIMILAR without a product."""


class UnknownWindow(BadRequest):
    """A window name that is not one of ``serving.Window``."""


class BadAnswer(RecommenderError):
    """A model under evaluation named a product twice, or one that may not be answered."""


class FitFailed(RecommenderError):
    """Too little data to learn from, or a model with numbers that are not finite."""


class ArtifactError(RecommenderError):
    """A model on disk that cannot be served."""


class NoModel(ArtifactError):
    """Nothing has been published in the folder, or not the model that was named."""


class BrokenArtifact(ArtifactError):
    """A file is missing, changed, cut short, or not of the format that this version reads."""


class OlderFormat(BrokenArtifact):
    """A model that an earlier version published and this one cannot serve."""
