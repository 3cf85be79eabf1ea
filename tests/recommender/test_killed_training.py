"""A training that is killed leaves the model in service as it was."""

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

from loyalty_recommender import artifact
from loyalty_recommender.serving import Recommender

PROGRAM = """
import sys
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from loyalty_recommender.interactions import Interactions
from loyalty_recommender.training import Settings, train

root, stop_at = sys.argv[1], int(sys.argv[2])
renames = 0

def noticed(event, arguments):
    global renames
    # The model's folder and the pointer to it; arrays are renamed within the folder before.
    if event == "os.rename" and Path(arguments[0]).parent in (Path(root), Path(root) / "models"):
        renames += 1
        if renames == stop_at:
            print("stopped", flush=True)
            sys.stdin.read()

sys.addaudithook(noticed)
days = np.arange(60) * 86_400
bought = Interactions.from_columns(np.arange(60) % 4, np.arange(60) % 3, days)
at = datetime(2024, 1, 1 + stop_at, tzinfo=UTC)
train(bought, Settings(), Path(root), lambda doing, share: None, trained_at=at)
"""


def trained(root: Path, stop_at: int) -> bool:
    """Train until the rename of that number, counted from 1, and be killed before it; whether
    it came to that."""
    program = [sys.executable, "-c", PROGRAM, str(root), str(stop_at)]
    with subprocess.Popen(
        program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as running:
        assert running.stdout is not None
        stopped = running.stdout.readline() == "stopped\n"
        if stopped:
            running.kill()
        assert running.wait(timeout=120) == (-9 if stopped else 0)
    return stopped


def test_killed_before_either_step_of_publishing(tmp_path: Path) -> None:
    assert not trained(tmp_path, 0)
    before = artifact.current_id(tmp_path)
    assert before is not None

    step = 1
    while trained(tmp_path, step):
        assert artifact.current_id(tmp_path) == before
        assert Recommender.load(tmp_path).model_id == before
        step += 1

    assert step == 3
    after = Recommender.load(tmp_path)
    assert after.trained_at == datetime(2024, 1, 1 + step, tzinfo=UTC)
    assert after.model_id != before
