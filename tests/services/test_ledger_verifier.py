"""What the stand-alone verifier says of a small history, and of what was done to it."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from ledger_forgery import Account, Book, resealed

from loyalty import ledger_verifier
from loyalty.ledger_verifier import main, told

DAY = 86_400_000_000
VERIFIER = Path(ledger_verifier.__file__)


def transaction(id: int, kind: str, at: int, *entries: list[Any], **more: Any) -> dict[str, Any]:
    row = {"transaction": id, "seq": 0, "kind": kind, "order": None, "reservation": None}
    row |= {"refund": None, "ruleset": 1, "effective": at, "booked": at, "entries": list(entries)}
    return row | more | {"hash": ""}


def history() -> Book:
    """Two holders: one that earned, held and spent in part, and one that owes."""
    one = [
        transaction(
            11, "EARN", 10, [1, "MEMBER", "points", 100, 5, 10, DAY], [2, "ISSUED", "points", -100]
        ),
        transaction(
            12, "HOLD", 20, [3, "MEMBER", "points", -60, 5], [4, "HELD", "points", 60],
            reservation=9,
        ),
        transaction(
            13, "HOLD", 20, [5, "MEMBER", "points", -30, 5], [6, "HELD", "points", 30],
            reservation=8,
        ),
        transaction(
            14, "REDEEM", 30, [7, "HELD", "points", -60], [8, "REDEEMED", "points", 60],
            reservation=9, order=3,
        ),
        transaction(
            15, "EXPIRE", DAY, [9, "MEMBER", "points", -10, 5], [10, "EXPIRED", "points", 10]
        ),
    ]  # fmt: skip
    two = [
        transaction(
            21, "REVERSE", 10, [11, "MEMBER", "points", -7], [12, "ISSUED", "points", 7], refund=4
        ),
    ]
    return Book(1, ["1970-01-01", "1970-01-02"], [Account(100, one), Account(200, two)])


@pytest.fixture
def text() -> bytes:
    return history().write()


def said(text: bytes, capsys: pytest.CaptureFixture[str], roots: dict[str, str]) -> str:
    status = told(text.splitlines(keepends=True), roots)
    return f"{status}: {capsys.readouterr().out.strip()}"


def test_what_holds_is_counted(text: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    first, last = (json.loads(line)["hash"] for line in text.splitlines()[1:3])

    assert said(text, capsys, {"1970-01-02": last}) == (
        "0: all of it holds: 2 holders, 6 transactions, 12 entries"
    )
    assert "of these, 1 transactions are covered by no root" in said(
        text, capsys, {"1970-01-01": first}
    )
    assert "no root was handed in" in said(text, capsys, {})


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        (
            "100,5,10,",
            "101,5,10,",
            "line 5: transaction 11 of holder 100: its entries of points sum to 1, wanted 0",
        ),
        (
            '[3,"MEMBER","points",-60,5],[4,"HELD","points",60]',
            '[3,"MEMBER","points",-160,5],[4,"HELD","points",160]',
            "line 6: entry 3 in transaction 12 of holder 100: of lot 5 -60 of 100 remain after it",
        ),
        (
            '"kind":"HOLD","order":null',
            '"kind":"HOLD","order":1',
            "line 6: transaction 12 of holder 100: its hash does not follow from what it says",
        ),
        (
            '"effective":20',
            '"effective":9',
            "line 6: entry 3 in transaction 12 of holder 100: lot 5 is not live when it is drawn",
        ),
        (
            '"effective":86400000000',
            '"effective":86399999999',
            "line 9: entry 9 in transaction 15 of holder 100: lot 5 is not over when it expires",
        ),
        (
            '"seq":2',
            '"seq":3',
            "line 6: transaction 12 of holder 100: its sequence is not 2",
        ),
        (
            '"booked":30',
            '"booked":19',
            "line 8: transaction 14 of holder 100: it is booked before the one before it",
        ),
        (
            '[7,"HELD","points",-60],[8,"REDEEMED","points",60]',
            '[7,"HELD","points",-50],[8,"REDEEMED","points",50]',
            "line 8: transaction 14 of holder 100: of points it moves -50 held, wanted -60",
        ),
        (
            "-60,5]",
            "-60,6]",
            "line 6: entry 3 in transaction 12 of holder 100: this holder has no lot 6 of points",
        ),
        (
            '[11,"MEMBER","points",-7],[12,"ISSUED","points",7]',
            '[11,"MEMBER","points",7],[12,"ISSUED","points",-7]',
            "line 14: entry 11 in transaction 21 of holder 200: it repays more than is owed",
        ),
        (
            '"remaining":0',
            '"remaining":1',
            'line 10: lot 5 of holder 100: the entries say {"lot":5',
        ),
        (
            '{"hold":8,"lot":5,"unit":"points","amount":30}',
            '{"hold":8,"lot":5,"unit":"points","amount":31}',
            "line 11: hold 8 of holder 100: the entries say",
        ),
        (
            '"deficit":7',
            '"deficit":0',
            "line 15: account points of holder 200: the entries say",
        ),
        (
            '"holder":200',
            '"holder":100',
            "line 13: holder 100: it is out of order",
        ),
        (
            '"root":"1970-01-02"',
            '"root":"1970-01-03"',
            "line 16: the last line does not fit the file",
        ),
        (
            '"tenant":1',
            '"tenant":2',
            "line 5: transaction 11 of holder 100: its hash",
        ),
        (
            '"roots":2',
            '"roots":3',
            "line 16: the last line does not fit the file",
        ),
        (
            '"seq":1,',
            '"seq":1 ,',
            "line 5: it is not written as exports are",
        ),
        (
            '"seq":1,',
            '"seq":1.0,',
            "line 5: seq: 1.0 is no such number",
        ),
        (
            '"seq":1,',
            '"seq":01,',
            "line 5: it is no JSON",
        ),
        (
            '"seq":1,',
            '"seq":1,"seq":1,',
            "line 5: it is not written as exports are",
        ),
        (
            '"kind":"EARN"',
            '"kind":"GIFT"',
            "line 5: transaction 11 of holder 100: there is no kind 'GIFT'",
        ),
        (
            '[2,"ISSUED","points",-100]',
            '[2,"BANK","points",-100]',
            'line 5: transaction 11 of holder 100: [2,"BANK","points",-100] is no entry',
        ),
        (
            "loyalty-ledger-export-1",
            "loyalty-ledger-export-9",
            "line 1: found format 'loyalty-ledger-export-9'",
        ),
    ],
)
def test_the_first_thing_that_does_not_hold_is_named(
    text: bytes, old: str, new: str, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    changed = text.replace(old.encode(), new.encode(), 1)

    found = said(changed, capsys, {})

    assert changed != text
    assert found.startswith(f"1: it does NOT hold: {sentence}"), found


def test_a_history_rewritten_with_care_is_found_by_the_root_of_its_day(
    text: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    roots = {row["root"]: row["hash"] for row in map(json.loads, text.splitlines()[1:3])}
    book = history()
    book.holders[1].transactions[0]["refund"] = 5

    forged = book.write()

    assert said(forged, capsys, {}).startswith("0:")
    assert said(forged, capsys, roots).startswith(
        f"1: it does NOT hold: {roots['1970-01-01']} was published as root of 1970-01-01"
    )
    later = said(forged, capsys, {"1970-01-02": roots["1970-01-02"]})
    assert "booked from the beginning up to the end of that day" in later


def test_a_published_day_that_the_file_lacks_is_told(
    text: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    found = said(text, capsys, {"1970-01-05": "0" * 64})

    assert found.endswith("a root of 1970-01-05 was published, and this file has none")


def test_no_byte_can_be_changed_unnoticed(text: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    """Whatever stands in its place, and though the last line is made to fit."""
    last = dict([max((r["root"], r["hash"]) for r in map(json.loads, text.splitlines()[1:3]))])
    unnoticed = []
    for at in range(len(text)):
        changed = text[:at] + bytes([text[at] ^ 1]) + text[at + 1 :]
        whole = [changed]
        with suppress(ValueError, KeyError, TypeError, IndexError):
            whole.append(resealed(changed))
        unnoticed += [
            text[at - 20 : at + 20]
            for each in whole
            if each != text and said(each, capsys, last).startswith("0")
        ]

    assert unnoticed == []


def test_it_runs_alone_and_says_by_its_status_what_it_found(tmp_path: Path, text: bytes) -> None:
    (tmp_path / "verifier.py").write_bytes(VERIFIER.read_bytes())
    good, bad = tmp_path / "good.jsonl", tmp_path / "bad.jsonl"
    good.write_bytes(text)
    bad.write_bytes(text[:-1])
    root = json.loads(text.splitlines()[2])["hash"]

    def run(*arguments: str) -> int:
        # Isolated: nothing of an installation is on its path.
        command = [sys.executable, "-I", "-S", "verifier.py", *arguments]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, check=False).returncode

    assert run("good.jsonl", "--root", f"1970-01-02:{root}") == 0
    assert run("good.jsonl", "--root", f"1970-01-02:{hashlib.sha256(b'').hexdigest()}") == 1
    assert run("bad.jsonl") == 1
    assert run("nothing.jsonl") == 2
    assert run("good.jsonl", "--root", "yesterday") == 2
    assert run("good.jsonl", *(f"--root=1970-01-02:{digit * 64}" for digit in "01")) == 2


def test_the_empty_file_and_what_is_no_export(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "file"
    for content in (b"", b"\n", b"[]\n", b"\xff\n", b"[" * 9_999 + b"\n", b"{}\n", b"null\n"):
        file.write_bytes(content)
        assert main([str(file)]) == 1, content
        assert "it does NOT hold" in capsys.readouterr().out
