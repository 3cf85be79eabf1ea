"""What a published model says about itself."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from loyalty_recommender.errors import BrokenArtifact, OlderFormat

FORMAT = 5
"""Rises when an older version could not read the arrays, and with every setting that comes, goes
or means something else; older models are then refused."""


@dataclass(frozen=True, slots=True)
class ModelFile:
    """One array as it lies on disk."""

    size: int
    """Bytes."""
    sha256: str


@dataclass(frozen=True, slots=True)
class Card:
    """Facts about one training, in the words of ``card.json``."""

    trained_at: datetime
    """Aware, UTC, whole seconds."""
    data_from: datetime
    """First purchase learned from."""
    data_to: datetime
    """Last purchase learned from."""
    counts: Mapping[str, int]
    """``members``, ``products``, ``visits`` and ``interactions`` learned from, and the products
    and interactions that were left out for being bought too seldom."""
    settings: Mapping[str, Any]
    """All settings of the training, nested as in ``training.Settings``."""
    parts: Mapping[str, str]
    """Part of the model → kind of model, a key of ``models.FITTED``."""
    seconds: Mapping[str, float]
    """Part of the training → how long it took."""
    versions: Mapping[str, str]
    """Library → version it was trained with."""
    utc_offset_s: int
    """Shop's time minus UTC in seconds: where a day ends."""
    files: Mapping[str, ModelFile]
    """Array, as ``part.array`` → its file."""
    metrics: Mapping[str, Any] = field(default_factory=dict)
    """How well these settings did on the latest weeks when they were fitted before them, and on
    which days that was; empty where it was not measured. See ``gate``."""
    gate: Mapping[str, Any] = field(default_factory=dict)
    """Why it is these settings that were trained; empty where nobody asked. See ``gate``."""
    offers: Mapping[str, Any] = field(default_factory=dict)
    """What was learned of who uses offers, or why nothing was; empty where nobody asked. See
    ``offers.part``."""
    model_id: str = ""
    """Training time and a hash of everything above."""

    def with_files(self, files: Mapping[str, ModelFile]) -> Self:
        """The card with its files, and the id that follows from everything."""
        whole = replace(self, files=dict(files))
        return replace(whole, model_id=_model_id(whole.content()))

    def content(self) -> dict[str, Any]:
        """The card as JSON values."""
        told = {
            "metrics": dict(self.metrics),
            "gate": dict(self.gate),
            "offers": dict(self.offers),
        }
        return {
            **{name: each for name, each in told.items() if each},
            "format": FORMAT,
            "modelId": self.model_id,
            "trainedAt": _text(self.trained_at),
            "data": {
                "from": _text(self.data_from),
                "to": _text(self.data_to),
                "utcOffsetS": self.utc_offset_s,
                **self.counts,
            },
            "settings": dict(self.settings),
            "parts": dict(self.parts),
            "seconds": dict(self.seconds),
            "versions": dict(self.versions),
            "files": {
                name: {"bytes": file.size, "sha256": file.sha256}
                for name, file in self.files.items()
            },
        }

    def text(self) -> str:
        """The card as it is written."""
        return json.dumps(self.content(), indent=2, sort_keys=True) + "\n"

    @classmethod
    def from_content(cls, content: Any, path: Path) -> Self:
        """Read a card back, whole or not at all.

        Args:
            content: JSON values.
            path: where they are from, for the message.

        Raises:
            BrokenArtifact: another format, a changed value, a missing one.
        """
        if not isinstance(content, dict) or content.get("format") != FORMAT:
            found = content.get("format") if isinstance(content, dict) else type(content).__name__
            is_older = isinstance(found, int) and found < FORMAT
            kind = OlderFormat if is_older else BrokenArtifact
            raise kind(f"{path} should be a card of format {FORMAT}, found {found!r}")
        if content.get("modelId") != _model_id({**content, "modelId": ""}):
            raise BrokenArtifact(
                f"{path} was changed: its id {content.get('modelId')!r} does not fit its content"
            )
        try:
            data = dict(content["data"])
            return cls(
                trained_at=datetime.fromisoformat(content["trainedAt"]),
                data_from=datetime.fromisoformat(data.pop("from")),
                data_to=datetime.fromisoformat(data.pop("to")),
                utc_offset_s=int(data.pop("utcOffsetS")),
                counts=data,
                settings=content["settings"],
                parts=content["parts"],
                seconds=content["seconds"],
                versions=content["versions"],
                files={
                    name: ModelFile(file["bytes"], file["sha256"])
                    for name, file in content["files"].items()
                },
                metrics=dict(content.get("metrics", {})),
                gate=dict(content.get("gate", {})),
                offers=dict(content.get("offers", {})),
                model_id=content["modelId"],
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise BrokenArtifact(f"{path} is not a whole card: {error!r}") from error


def _text(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _model_id(content: Mapping[str, Any]) -> str:
    canonical = json.dumps({**content, "modelId": ""}, sort_keys=True, separators=(",", ":"))
    trained_at = str(content.get("trainedAt")).replace("-", "").replace(":", "")
    return f"{trained_at}-{hashlib.sha256(canonical.encode()).hexdigest()[:12]}"
