"""Models on disk: plain arrays and a JSON card, published so that no reader sees half of one.

    ROOT/current                     one line, the id of the model in service
    ROOT/pinned                      ids of models that no training removes
    ROOT/models/<modelId>/card.json  what it is, and the SHA-256 of every array
    ROOT/models/<modelId>/*.npy      read by memory map

A model is written under another name, flushed to disk and renamed; only then ``current`` is
replaced. The id ends in a hash of the card and the card holds the hashes of the arrays, so a
changed byte anywhere is noticed on loading. Nothing is ever unpickled.
"""

import contextlib
import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from loyalty_recommender.arrays import DAY_S, AnyArray
from loyalty_recommender.card import Card, ModelFile
from loyalty_recommender.errors import ArtifactError, BrokenArtifact, NoModel

CARD = "card.json"
CURRENT = "current"
MODELS = "models"
PINNED = "pinned"
PARTIAL = ".partial-"

MODEL_ID = re.compile(r"[0-9]{8}T[0-9]{6}Z-[0-9a-f]{12}")
ARRAY_NAME = re.compile(r"[a-z_]+\.[a-z_]+")


def publish(root: Path, card: Card, arrays: Mapping[str, AnyArray], *, keep: int = 3) -> Card:
    """Write a model and put it into service.

    Args:
        root: folder of all models; made if missing.
        card: what to say about the model; its id and files are filled in here.
        arrays: named ``part.array``.
        keep: how many models stay, >= 1, the one in service among them.

    Returns:
        The card as published.

    Raises:
        OSError: the disk is full or may not be written; nothing has changed then.
    """
    models = root / MODELS
    models.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=PARTIAL, dir=models))
    try:
        files = {name: _write_array(partial, name, each) for name, each in arrays.items()}
        _share_equal_files(partial, files)
        published = card.with_files(files)
        _write(partial / CARD, published.text().encode())
        # mkdtemp lets only its owner in; other processes of the shop serve what is trained here.
        partial.chmod(0o755)
        _flush_folder(partial)
        os.rename(partial, models / published.model_id)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    _flush_folder(models)
    point_to(root, published.model_id)
    prune(root, keep)
    _sweep(models)
    return published


def point_to(root: Path, model_id: str) -> None:
    """Put a published model into service, as one step; also the way back to an earlier one.

    Raises:
        NoModel: there is no such model.
    """
    if model_id not in model_ids(root):
        raise NoModel(f"no model {model_id!r} in {root / MODELS}, found {model_ids(root)}")
    _replace(root / CURRENT, f"{model_id}\n")


def _replace(path: Path, text: str) -> None:
    """Write a file as one step: who reads it finds the old text or the new."""
    handle, name = tempfile.mkstemp(prefix=PARTIAL, dir=path.parent)
    os.close(handle)
    try:
        _write(Path(name), text.encode())
        Path(name).chmod(0o644)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    _flush_folder(path.parent)


def current_id(root: Path) -> str | None:
    """The id of the model in service, None before the first; cheap enough to ask every second.

    Raises:
        BrokenArtifact: the pointer holds something else than an id.
    """
    try:
        text = (root / CURRENT).read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return None
    except UnicodeDecodeError as error:
        raise BrokenArtifact(f"{root / CURRENT} should hold a model id, found no text") from error
    if not MODEL_ID.fullmatch(text):
        raise BrokenArtifact(f"{root / CURRENT} should hold a model id, found {text[:80]!r}")
    return text


def model_ids(root: Path) -> list[str]:
    """Every published model, oldest training first."""
    models = root / MODELS
    if not models.is_dir():
        return []
    return sorted(each.name for each in models.iterdir() if MODEL_ID.fullmatch(each.name))


def pin(root: Path, ids: Sequence[str]) -> None:
    """Let these models stay whatever is published, and no others beside the one in service."""
    _replace(root / PINNED, "".join(f"{each}\n" for each in ids))


def pinned_ids(root: Path) -> frozenset[str]:
    """The models that were pinned."""
    try:
        return frozenset((root / PINNED).read_text(encoding="utf-8").split())
    except FileNotFoundError:
        return frozenset()


def prune(root: Path, keep: int) -> None:
    """Remove the oldest models beyond ``keep`` >= 1; the one in service and pinned ones stay.

    A process that still serves a removed model keeps its memory-mapped files.
    """
    stays = {current_id(root), *pinned_ids(root)}
    others = [each for each in model_ids(root) if each not in stays]
    for model_id in others[: max(len(others) - (keep - 1), 0)]:
        shutil.rmtree(root / MODELS / model_id, ignore_errors=True)


def _sweep(models: Path) -> None:
    """Remove what trainings that were killed left behind, a day after they began."""
    now_s = models.stat().st_mtime
    for each in models.glob(f"{PARTIAL}*"):
        with contextlib.suppress(FileNotFoundError):
            if each.stat().st_mtime < now_s - DAY_S:
                shutil.rmtree(each, ignore_errors=True)


def folder_named(root: Path, model_id: str) -> Path:
    """Where the model of that id is, below a root."""
    return root / MODELS / model_id


def folder_of(path: Path) -> Path:
    """The model that a path means: a model's own folder, or the one in service below a root.

    Raises:
        NoModel: neither.
    """
    if (path / CARD).is_file():
        return path
    model_id = current_id(path)
    if model_id is None:
        raise NoModel(f"no model has been published in {path}")
    return path / MODELS / model_id


def read_card(folder: Path) -> Card:
    """Read a model's card and check it against its own hash.

    Raises:
        NoModel: there is no card.
        BrokenArtifact: the card is not what was published.
    """
    try:
        raw = (folder / CARD).read_bytes()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise NoModel(f"no {CARD} in {folder}") from error
    try:
        content: Any = json.loads(raw)
    except ValueError as error:
        raise BrokenArtifact(f"{folder / CARD} is not JSON: {error}") from error
    card = Card.from_content(content, folder / CARD)
    if raw != card.text().encode():
        raise BrokenArtifact(f"{folder / CARD} was changed: it is not written as it was published")
    return card


def read_arrays(folder: Path, card: Card, *, part: str | None = None) -> dict[str, AnyArray]:
    """Memory-map a model's arrays after checking every byte of them.

    Args:
        part: only the arrays of this part are looked at; None for all.

    Raises:
        BrokenArtifact: a file is missing, changed, or not an array.
    """
    return dict(_checked_arrays(folder, card, "" if part is None else f"{part}."))


def _checked_arrays(folder: Path, card: Card, prefix: str) -> Iterator[tuple[str, AnyArray]]:
    mapped: dict[str, AnyArray] = {}
    for name, file in card.files.items():
        if not name.startswith(prefix):
            continue
        if not ARRAY_NAME.fullmatch(name):
            raise BrokenArtifact(f"{folder / CARD} names an array {name!r}")
        path = folder / f"{name}.npy"
        try:
            found = _described(path)
        except OSError as error:
            raise BrokenArtifact(f"{path} cannot be read: {error}") from error
        if found != file:
            raise BrokenArtifact(
                f"{path} should have {file.size} bytes with SHA-256 {file.sha256}, "
                f"found {found.size} with {found.sha256}"
            )
        # Equal bytes are mapped once, however many parts hold them.
        if file.sha256 not in mapped:
            try:
                loaded = np.load(path, mmap_mode="r", allow_pickle=False)
            except (ValueError, OSError, EOFError) as error:
                raise BrokenArtifact(f"{path} is not an array: {error}") from error
            # A plain view: slicing np.memmap itself costs microseconds each time.
            mapped[file.sha256] = np.asarray(loaded)
        yield name, mapped[file.sha256]


def _write_array(folder: Path, name: str, array: AnyArray) -> ModelFile:
    if not ARRAY_NAME.fullmatch(name):
        raise ArtifactError(f"an array is named part.array in small letters, found {name!r}")
    path = folder / f"{name}.npy"
    with path.open("wb") as file:
        np.save(file, np.ascontiguousarray(array), allow_pickle=False)
        file.flush()
        os.fsync(file.fileno())
    return _described(path)


def _share_equal_files(folder: Path, files: Mapping[str, ModelFile]) -> None:
    """Keep arrays that several parts have in common once, where the file system has links."""
    first: dict[str, str] = {}
    for name, file in files.items():
        kept = first.setdefault(file.sha256, name)
        if kept != name:
            with contextlib.suppress(OSError):
                link = folder / f"{PARTIAL}{name}"
                os.link(folder / f"{kept}.npy", link)
                os.replace(link, folder / f"{name}.npy")
                # A rename between two names of one file does nothing.
                link.unlink(missing_ok=True)


def _described(path: Path) -> ModelFile:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        return ModelFile(size=file.tell(), sha256=digest)


def _write(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _flush_folder(folder: Path) -> None:
    # Without this a rename may not survive a power cut. Not every file system can do it.
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
