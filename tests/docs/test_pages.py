"""The handbook builds without a warning, links lead somewhere, pictures are there, and both READMEs say the same."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from clinic_crm.embedded import BASE_DIR
from tests.docs.commands import FENCE, PAGES, name

LINK = re.compile(r"(!?)\[[^\]]*\]\(([^)\s]+)\)")
PICTURES = sorted((BASE_DIR / "docs/screenshots").glob("*.png"))
LARGEST = 200_000  # bytes of a picture


def links(page: Path) -> list[tuple[str, str]]:
    """Return ("!" for a picture, target) of every link outside code."""
    return LINK.findall(FENCE.sub("", page.read_text()))


def test_the_handbook_builds_without_a_warning(tmp_path: Path) -> None:
    built = subprocess.run(
        [sys.executable, "-m", "sphinx", "-b", "dummy", "--fail-on-warning", "--keep-going", "--quiet",
         "-d", tmp_path / "doctrees", BASE_DIR / "docs", tmp_path / "out"],
        capture_output=True, text=True, cwd=BASE_DIR,
    )  # fmt: skip
    assert built.returncode == 0, built.stderr


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_lead_to_files_that_exist(page: Path) -> None:
    own = [target.partition("#")[0] for _picture, target in links(page) if "://" not in target]
    assert not [target for target in own if target and not (page.parent / target).exists()]


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_pages_speak_of_the_product_alone(page: Path) -> None:
    text = page.read_text()
    assert not re.findall(r"@@\w+@@|\bTODO\b|\bTBD\b|/(?:work|tmp)/", text)


def test_pictures_are_small_and_shown() -> None:
    assert PICTURES
    assert not [name(one) for one in PICTURES if one.stat().st_size > LARGEST]
    shown = {Path(target).name for page in PAGES for picture, target in links(page) if picture}
    assert not [name(one) for one in PICTURES if one.name not in shown]
    for one in PICTURES:
        with Image.open(one) as picture:
            assert picture.width >= 390


def test_both_readmes_have_the_same_parts_pictures_links_and_commands() -> None:
    english, chinese = (BASE_DIR / "README.md", BASE_DIR / "README.zh-CN.md")

    def shape(page: Path) -> tuple[list[str], list[str], list[str], list[str]]:
        text = page.read_text()
        headings = [line.split()[0] for line in text.splitlines() if line.startswith("#")]
        rows = [str(line.count("|")) for line in text.splitlines() if line.startswith("|")]
        targets = [target for _picture, target in links(page) if not target.startswith("README")]
        return headings, rows, targets, [block for _kind, block in FENCE.findall(text)]

    assert shape(english) == shape(chinese)
    assert ("", chinese.name) in links(english)
    assert ("", english.name) in links(chinese)


def test_the_version_is_the_same_everywhere() -> None:
    version = re.search(r'^version = "([^"]+)"', (BASE_DIR / "pyproject.toml").read_text(), re.MULTILINE)
    assert version
    assert f"## [{version[1]}]" in (BASE_DIR / "CHANGELOG.md").read_text()
    assert f'release = "{version[1]}"' in (BASE_DIR / "docs/conf.py").read_text()
