"""What is published is read back whole, or refused."""

import hashlib
import os
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from loyalty_recommender import artifact
from loyalty_recommender.card import FORMAT, Card, ModelFile
from loyalty_recommender.errors import ArtifactError, BrokenArtifact, NoModel
from loyalty_recommender.history import History
from loyalty_recommender.serving import Recommender

ARRAYS = {
    "one.matrix": np.arange(6, dtype=np.float32).reshape(2, 3),
    "one.empty": np.empty(0, dtype=np.int32),
    "two.ids": np.array([b"a", b"\xc3\xa9"]),
}


def card(minute: int = 0) -> Card:
    at = datetime(2024, 5, 1, 12, minute, tzinfo=UTC)
    return Card(
        trained_at=at,
        data_from=at,
        data_to=at,
        counts={"members": 2},
        settings={"factors": 4, "nested": {"alpha": 1.0, "recent_days": None}},
        parts={"one": "als"},
        seconds={"one": 0.125},
        versions={"numpy": "2"},
        utc_offset_s=3600,
        files={},
    )


def contents(root: Path) -> dict[str, bytes]:
    return {
        str(each.relative_to(root)): each.read_bytes()
        for each in sorted(root.rglob("*"))
        if each.is_file()
    }


def test_cards_and_arrays_come_back_as_they_were(tmp_path: Path) -> None:
    published = artifact.publish(tmp_path, card(), ARRAYS)

    folder = artifact.folder_of(tmp_path)
    found = artifact.read_card(folder)
    arrays = artifact.read_arrays(folder, found)

    assert found == published
    assert found.model_id.startswith("20240501T120000Z-")
    assert artifact.current_id(tmp_path) == found.model_id
    assert {name: (each.dtype, each.tolist()) for name, each in arrays.items()} == {
        name: (each.dtype, each.tolist()) for name, each in ARRAYS.items()
    }
    assert sorted(contents(tmp_path)) == sorted(
        ["current", *(f"models/{found.model_id}/{name}" for name in _files())]
    )


def _files() -> list[str]:
    return ["card.json", *(f"{name}.npy" for name in ARRAYS)]


@pytest.mark.parametrize("name", _files())
def test_any_changed_byte_is_noticed(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "models" / artifact.publish(tmp_path, card(), ARRAYS).model_id
    whole = (folder / name).read_bytes()

    for at in range(0, len(whole), 7):
        broken = bytearray(whole)
        broken[at] ^= 1 << at % 7
        (folder / name).write_bytes(broken)

        with pytest.raises(BrokenArtifact, match=name.replace(".", r"\.")):
            artifact.read_arrays(folder, artifact.read_card(folder))


@pytest.mark.parametrize("name", _files())
def test_a_file_cut_short_or_missing_is_noticed(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "models" / artifact.publish(tmp_path, card(), ARRAYS).model_id
    whole = (folder / name).read_bytes()
    (folder / name).write_bytes(whole[:-1])

    with pytest.raises(BrokenArtifact):
        artifact.read_arrays(folder, artifact.read_card(folder))

    (folder / name).unlink()

    with pytest.raises(ArtifactError):
        artifact.read_arrays(folder, artifact.read_card(folder))


def test_pickles_are_never_read(tmp_path: Path) -> None:
    """Not even one whose hash the card vouches for."""
    ran = tmp_path / "ran"

    class Trap:
        def __reduce__(self) -> tuple[object, tuple[str, int]]:
            return os.mkdir, (str(ran), 0o700)

    folder = tmp_path / "models" / artifact.publish(tmp_path, card(), ARRAYS).model_id
    trap = folder / "one.matrix.npy"
    np.save(trap, np.array([Trap()], dtype=object), allow_pickle=True)
    raw = trap.read_bytes()
    vouched = artifact.read_card(folder).with_files(
        {"one.matrix": ModelFile(len(raw), hashlib.sha256(raw).hexdigest())}
    )

    with pytest.raises(BrokenArtifact, match="not an array"):
        artifact.read_arrays(folder, vouched)
    assert not ran.exists()


def test_objects_are_never_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="Object arrays cannot be saved"):
        artifact.publish(tmp_path, card(), {"one.objects": np.array([{}], dtype=object)})

    assert contents(tmp_path) == {}


def test_a_failed_publication_leaves_the_model_in_service(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    artifact.publish(tmp_path, card(), ARRAYS)
    before = contents(tmp_path)

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    for name in ("rename", "replace"):
        with monkeypatch.context() as patch:
            patch.setattr(os, name, full)
            with pytest.raises(OSError, match="No space left"):
                artifact.publish(tmp_path, card(1), ARRAYS)

        assert artifact.current_id(tmp_path) == before["current"].decode().strip()
        assert contents(tmp_path).items() >= before.items()
        assert not list(tmp_path.rglob(".partial-*"))


def test_the_way_back_and_the_number_of_models_kept(tmp_path: Path) -> None:
    ids = [artifact.publish(tmp_path, card(minute), ARRAYS).model_id for minute in range(4)]

    assert artifact.model_ids(tmp_path) == ids[1:]

    artifact.point_to(tmp_path, ids[1])
    newest = artifact.publish(tmp_path, card(9), ARRAYS, keep=1).model_id

    assert artifact.model_ids(tmp_path) == [newest]
    assert artifact.current_id(tmp_path) == newest
    with pytest.raises(NoModel, match=ids[0]):
        artifact.point_to(tmp_path, ids[0])
    assert artifact.current_id(tmp_path) == newest


def test_leftovers_of_killed_trainings_go_after_a_day(tmp_path: Path) -> None:
    artifact.publish(tmp_path, card(), ARRAYS)
    old, fresh = (tmp_path / "models" / f".partial-{name}" for name in ("old", "fresh"))
    for each in (old, fresh):
        each.mkdir()
    os.utime(old, (0, 0))

    artifact.publish(tmp_path, card(1), ARRAYS)

    assert (old.exists(), fresh.exists()) == (False, True)


@pytest.mark.parametrize("pointer", [b"", b"../../etc\n", b"\xff\xfe", b"20240501T120000Z-xyz"])
def test_a_pointer_that_is_no_id_is_refused(tmp_path: Path, pointer: bytes) -> None:
    artifact.publish(tmp_path, card(), ARRAYS)
    (tmp_path / "current").write_bytes(pointer)

    with pytest.raises(BrokenArtifact, match="should hold a model id"):
        Recommender.load(tmp_path)


def test_nothing_published_is_said(tmp_path: Path) -> None:
    assert artifact.current_id(tmp_path / "absent") is None
    assert artifact.model_ids(tmp_path / "absent") == []
    with pytest.raises(NoModel, match="no model has been published"):
        Recommender.load(tmp_path)


def test_an_artifact_without_our_parts_is_refused(tmp_path: Path) -> None:
    artifact.publish(tmp_path, card(), ARRAYS)

    with pytest.raises(BrokenArtifact, match="lacks a part"):
        Recommender.load(tmp_path)


def test_a_model_of_another_format_is_refused(published: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(artifact.folder_of(published), copy)
    text = (copy / "card.json").read_text()
    (copy / "card.json").write_text(text.replace(f'"format": {FORMAT}', f'"format": {FORMAT + 1}'))

    with pytest.raises(BrokenArtifact, match=f"card of format {FORMAT}, found {FORMAT + 1}"):
        Recommender.load(copy)


def test_a_model_taken_away_while_it_serves_goes_on_answering(
    published: Path, tmp_path: Path, past_of: Callable[[str], History]
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(published, copy)
    serving = Recommender.load(copy)
    before = serving.recommend("FOR_YOU", 5, history=past_of("tea-1"), day=20_000)

    shutil.rmtree(copy)

    assert serving.recommend("FOR_YOU", 5, history=past_of("tea-1"), day=20_000) == before


def test_pinned_models_stay_until_they_are_let_go(tmp_path: Path) -> None:
    ids = [artifact.publish(tmp_path, card(minute), ARRAYS).model_id for minute in range(3)]

    artifact.pin(tmp_path, ids[:1])
    kept = artifact.publish(tmp_path, card(8), ARRAYS, keep=1).model_id
    with_pinned = artifact.model_ids(tmp_path)
    artifact.pin(tmp_path, [])
    artifact.prune(tmp_path, keep=1)

    assert with_pinned == [ids[0], kept]
    assert artifact.model_ids(tmp_path) == [kept]
