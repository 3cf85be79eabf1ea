"""`loyalty doctor` when the distribution that a program's kinds come from is gone, or is broken."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from command_line import GROCERY, ROOT, SECRET, CommandLine, clean_environment

EXAMPLE = ROOT / "examples" / "loyalty-happy-hour" / "loyalty_happy_hour.py"
CHECK = "program of demo"


@pytest.fixture(scope="module")
def cafe_folder(shop_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A shop whose second version names a kind of the distribution's; to be copied."""
    made = tmp_path_factory.mktemp("cafe")
    shutil.copytree(shop_folder, made, dirs_exist_ok=True)
    installed(made / "site")
    file = made / "cafe.toml"
    reward = '[[rewards]]\ncode = "nth"\nname = "Nth"\ndoes = { kind = "nth_free", nth = 3 }\n'
    file.write_text(f"{GROCERY.read_text()}\n{reward}")
    shop = CommandLine(made, clean_environment(LOYALTY_SECRET_KEY=SECRET))
    done = shop.process("program", "publish", file, PYTHONPATH=str(made / "site"))
    assert done.status == 0, done
    return made


def installed(folder: Path) -> None:
    """Put the example's distribution there, as an installer leaves it."""
    record = folder / "loyalty_happy_hour-0.1.0.dist-info"
    record.mkdir(parents=True)
    (folder / EXAMPLE.name).write_bytes(EXAMPLE.read_bytes())
    (record / "METADATA").write_text("Metadata-Version: 2.1\nName: loyalty-happy-hour\n")
    (record / "entry_points.txt").write_text(
        "[loyalty.rewards]\nnth_free = loyalty_happy_hour:NthFree\n"
    )


@pytest.fixture
def cafe(bare: CommandLine, cafe_folder: Path) -> CommandLine:
    """A shop whose second version names a kind of the distribution's."""
    shutil.copytree(cafe_folder, bare.folder, dirs_exist_ok=True)
    return bare


@pytest.fixture
def site(cafe: CommandLine) -> Path:
    """Where the distribution is installed."""
    return cafe.folder / "site"


def checked(command: CommandLine, **more: str) -> tuple[int, dict[str, tuple[str, str]]]:
    done = command.process("doctor", "--json", **more)
    return done.status, {one["check"]: (one["state"], one["found"]) for one in done.json}


def test_a_program_reads_while_its_kinds_are_there(cafe: CommandLine, site: Path) -> None:
    status, found = checked(cafe, PYTHONPATH=str(site))

    assert (status, found[CHECK]) == (0, ("ok", "version 2: Corner Grocery Rewards"))


def test_a_program_whose_kind_is_gone_is_told(cafe: CommandLine) -> None:
    status, found = checked(cafe)

    # After those of the grocery's own file.
    own = GROCERY.read_text(encoding="utf-8").count("[[rewards]]")
    told = (
        f'rewards[{own}].does.kind: found "nth_free", wanted one of free_product, free_shipping, '
        "money_off, percentage_off"
    )
    assert (status, found[CHECK]) == (1, ("fail", told))


def test_an_older_version_whose_kind_is_gone_is_told(cafe: CommandLine) -> None:
    cafe.ok("program", "publish", GROCERY)

    status, found = checked(cafe)

    assert status == 0
    assert found[CHECK] == ("warn", "version 3: Corner Grocery Rewards; cannot be read: 2")


def test_a_distribution_that_is_broken_is_told_and_the_rest_is_looked_at(
    cafe: CommandLine, site: Path
) -> None:
    (site / EXAMPLE.name).write_text("raise RuntimeError('half an update')\n")

    status, found = checked(cafe, PYTHONPATH=str(site))

    assert (status, found["kinds"]) == (1, ("fail", "RuntimeError: half an update"))
    assert CHECK not in found
    assert found["database"][0] == "ok"
