"""What is committed works on every machine: no path of one, no address to download from."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

# One letter in brackets keeps a pattern from matching its own line.
PATH_OF_ONE_MACHINE = re.compile(r"(?<![\w.:/-])/(?:hom[e]/\w|User[s]/\w|roo[t]/|wor[k]/|far[m]/)")
DOWNLOAD_ADDRESS = re.compile(
    r"""index-ur[l]
    | "resolve[d]":\s*"http
    | registr[y]\s*=\s*"?http
    | https?://[^\s"]*/simpl[e]\b
    | https?://[^\s"]*(?:pyp[i]|npmj[s]|pythonhoste[d])\.(?:org|com)
    | https?://[^\s"]+\.(?:wh[l]|tg[z]|tar\.g[z])\b""",
    re.VERBOSE,
)


def lines_with(pattern: re.Pattern[str], texts: dict[str, str]) -> list[str]:
    return [
        f"{path}:{number}: {line.strip()[:100]}"
        for path, text in texts.items()
        for number, line in enumerate(text.splitlines(), 1)
        if len(line) < 2000 and pattern.search(line)
    ]


def test_no_file_names_a_path_of_one_machine(root: Path, texts: dict[str, str]) -> None:
    here = re.compile(re.escape(str(root)) + r"(?![\w-])")

    assert lines_with(PATH_OF_ONE_MACHINE, texts) == []
    assert lines_with(here, texts) == []


def test_no_file_names_an_address_to_download_packages_from(texts: dict[str, str]) -> None:
    assert lines_with(DOWNLOAD_ADDRESS, texts) == [], (
        "each machine has its own mirror: leave the address to its settings"
    )


def test_the_lock_files_hold_what_the_project_asks_for(root: Path) -> None:
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    extras = project["project"]["optional-dependencies"]
    groups = project["dependency-groups"]
    runtime = [*project["project"]["dependencies"], *extras["demo"], *groups["build"]]
    wanted = {
        "runtime": runtime,
        "dev": [*runtime, *groups["dev"]],
        "installer": groups["installer"],
    }

    stale = [
        f"{requirement} in requirements/{group}.txt"
        for group, requirements in wanted.items()
        for locked in [locked_versions(root / f"requirements/{group}.txt")]
        for requirement in map(Requirement, requirements)
        if requirement.marker is None or requirement.marker.evaluate()
        if not requirement.specifier.contains(
            locked.get(canonicalize_name(requirement.name), "0"), prereleases=True
        )
    ]

    assert stale == [], "run scripts/lock: pyproject.toml asks for what is not locked"


def test_the_demo_runs_the_versions_that_are_tested(root: Path) -> None:
    dev = locked_versions(root / "requirements/dev.txt")
    runtime = locked_versions(root / "requirements/runtime.txt")

    assert runtime.items() <= dev.items()


def test_every_locked_package_has_its_hashes(root: Path) -> None:
    for path in sorted((root / "requirements").glob("*.txt")):
        blocks = re.split(r"\n(?=\S)", path.read_text(encoding="utf-8"))
        unhashed = [block for block in blocks if "==" in block and "--hash=sha256:" not in block]
        assert unhashed == [], f"{path.name} holds a package without a hash"


def locked_versions(path: Path) -> dict[str, str]:
    pinned = re.findall(r"^([\w.-]+)(?:\[[\w,-]+\])?==(\S+)", path.read_text(), re.MULTILINE)
    return {canonicalize_name(name): version for name, version in pinned}
