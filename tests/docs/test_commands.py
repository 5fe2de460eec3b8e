"""Every command that README and handbook tell a reader to type does what it should, or at least is understood."""

import json
import os
import re
import shutil
import subprocess
from io import StringIO
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml
from django.core.management import call_command, get_commands, load_command_class
from django.test import Client

from accounts.models import Membership, User
from clinic_crm.embedded import BASE_DIR
from patients.models import Patient
from tests.docs.commands import FENCE, PAGES, Command, commands, name
from tests.factories import ClinicFactory, UserFactory

ALL = commands()
# What changes more than a test may, or takes minutes; its own tests run it. Here its options are parsed.
ONLY_PARSED = frozenset({"backup", "restore", "load_demo", "makemigrations", "lintmigrations"})
STAFF, CHAT = (
    text
    for kind, text in FENCE.findall((BASE_DIR / "docs/administrators/first-start.md").read_text())
    if kind == "json"
)
FILES = {
    "staff.json": STAFF,
    "patients.csv": "姓名,手机号,性别\n沈雨薇,19900001734,女\n",
    "appointments.csv": "姓名,手机,预约日期,预约时间,医生\n沈雨薇,19900001734,2026-12-01,10:00,谢美林\n",
    "chats.jsonl": CHAT,
}
TYPED = (("Clinic name", "青禾口腔"), ("Clinic code", "QH"), ("Administrator's name", "秦管理"))  # to what is asked


def of(*programs: str) -> list[Any]:
    """Return the commands whose first word is one of these, as parameters."""
    return [pytest.param(one, id=one.line) for one in ALL if one.words[0] in programs]


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The small files that the commands name, in the directory they are run in."""
    for file, text in FILES.items():
        (tmp_path / file).write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_every_command_is_looked_at() -> None:
    known = {"make", "python", ".venv/bin/python", "docker", "cp", "curl"}
    known |= {".venv/bin/lint-imports", ".venv/bin/pre-commit"}
    assert not [(one.page, one.line) for one in ALL if one.words[0] not in known]
    assert {"README.md", "README.zh-CN.md", "CONTRIBUTING.md"} <= {name(page) for page in PAGES}
    kinds = {kind for page in PAGES for kind, _block in FENCE.findall(page.read_text())}
    assert kinds <= {"console", "bash", "python", "json", "http", "text"}, "commands stand in console or bash blocks"


# --- make ----------------------------------------------------------------------------------------


def test_make_knows_every_target() -> None:
    made = [one.words[1:] for one in ALL if one.words[0] == "make"]
    targets = sorted({word for words in made for word in words if "=" not in word})
    assert all(targets)
    assert {"run", "test", "docs"} <= set(targets)
    done = subprocess.run(["make", "--dry-run", *targets], cwd=BASE_DIR, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    read = {name for words in made for name in re.findall(r"^([A-Z]+)=", " ".join(words), re.MULTILINE)}
    assert all(f"$({name})" in (BASE_DIR / "Makefile").read_text() for name in read)


def test_make_help_names_what_the_pages_name() -> None:
    told = subprocess.run(["make", "help"], cwd=BASE_DIR, capture_output=True, text=True, check=True).stdout
    named = {one.words[1] for one in ALL if one.words[0] == "make"}
    assert named <= {line.split()[0] for line in told.splitlines()}


# --- manage.py -----------------------------------------------------------------------------------


def managing(only_parsed: bool) -> list[Any]:
    found = [one for one in ALL if one.manage]
    chosen = [one for one in found if one.manage and (one.manage[0] in ONLY_PARSED) == only_parsed]
    return [pytest.param(one, id=one.line) for one in chosen]


@pytest.mark.parametrize("command", managing(only_parsed=True))
def test_manage_understands_the_options(command: Command) -> None:
    assert command.manage
    first, *rest = command.manage
    application = get_commands()[first]
    found = load_command_class(application, first) if isinstance(application, str) else application
    found.create_parser("manage.py", first).parse_args(rest)


@pytest.mark.django_db
@pytest.mark.parametrize("command", managing(only_parsed=False))
def test_manage_runs(command: Command, files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert command.manage
    monkeypatch.setattr("builtins.input", lambda prompt: next((told for word, told in TYPED if word in prompt), ""))
    monkeypatch.setattr("getpass.getpass", lambda prompt: "qinghe-kouqiang-7")
    if command.manage[0] not in {"create_clinic", "setup_clinic"}:
        clinic = ClinicFactory(code="QH", name="青禾口腔·云岭门诊")
        UserFactory(username="demo_tc", clinic=clinic)
        Membership.objects.get_or_create(user=UserFactory(full_name="叶秀娟"), clinic=clinic, role="coordinator")
    before = Patient.objects.count(), User.objects.count()
    out = StringIO()
    call_command(*command.manage, stdout=out, stderr=out)
    said = out.getvalue()
    if "--json" in command.manage:
        assert [json.loads(part) for part in (said.splitlines() if command.manage[0].startswith("inspect") else [said])]
    if "--dry-run" in command.manage:
        assert (Patient.objects.count(), User.objects.count()) == before


# --- the rest ------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", of(".venv/bin/pre-commit"))
def test_the_hooks_are_installed(command: Command, tmp_path: Path) -> None:
    shutil.copy(BASE_DIR / ".pre-commit-config.yaml", tmp_path)
    apart = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, env=apart, check=True)
    program = [str(BASE_DIR / command.words[0]), *command.words[1:]]
    done = subprocess.run(program, cwd=tmp_path, env=apart, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / ".git/hooks/pre-commit").exists()


@pytest.mark.parametrize("command", of(".venv/bin/lint-imports", ".venv/bin/python"))
def test_the_tool_is_installed(command: Command) -> None:
    program = command.words[0].replace(".venv", str(BASE_DIR / ".venv"))
    told = subprocess.run([program, *command.words[1:2], "--help"], capture_output=True, text=True)
    assert told.returncode == 0, told.stderr


@pytest.mark.parametrize("command", of("cp"))
def test_what_is_copied_exists(command: Command, tmp_path: Path) -> None:
    shutil.copy(BASE_DIR / command.words[1], tmp_path)
    subprocess.run(command.words, cwd=tmp_path, check=True)
    assert (tmp_path / command.words[2]).read_text() == (BASE_DIR / command.words[1]).read_text()


@pytest.mark.django_db
@pytest.mark.parametrize("command", of("curl"))
def test_what_is_asked_answers(command: Command, client: Client) -> None:
    address = next(word for word in command.words if word.startswith("http"))
    assert client.get(urlsplit(address).path).json()


def _compose_files(words: tuple[str, ...]) -> list[Path]:
    named = [BASE_DIR / words[n + 1] for n, word in enumerate(words) if word in {"-f", "--file"}]
    return named or [BASE_DIR / "docker-compose.yml"]


@pytest.mark.parametrize("command", of("docker"))
def test_docker_is_told_what_it_and_the_file_know(command: Command) -> None:
    words = command.words
    assert words[1] == "compose"
    services: dict[str, Any] = {}
    for file in _compose_files(words):
        services |= yaml.safe_load(file.read_text().replace("!override", "").replace("!reset", ""))["services"]
    flags = [word for word in words if word.startswith("--") and words.index(word) < _end(words)]
    action = next(word for word in words[2:] if re.fullmatch(r"up|run|build|stop|ps|logs|config|pull|exec", word))
    after = words[words.index(action) + 1 : _end(words)]
    named = [
        word.split("=")[0] for word in after if word.split("=")[0] in {"web", "worker", "beat", "postgres", "redis"}
    ]
    assert set(named) <= set(services)
    if shutil.which("docker") and not subprocess.run(["docker", "compose", "version"], capture_output=True).returncode:
        help_ = subprocess.run(["docker", "compose", action, "--help"], capture_output=True, text=True).stdout
        help_ += subprocess.run(["docker", "compose", "--help"], capture_output=True, text=True).stdout
        assert not [flag for flag in flags if f"{flag.split('=')[0]}" not in help_]


def _end(words: tuple[str, ...]) -> int:
    """Where the words of docker end and those of the program inside begin."""
    return words.index("python") if "python" in words else len(words)


def test_the_hooks_are_valid_and_need_no_network() -> None:
    path = BASE_DIR / ".pre-commit-config.yaml"
    checked = subprocess.run(
        [BASE_DIR / ".venv/bin/pre-commit", "validate-config", path], capture_output=True, text=True, env=os.environ
    )
    assert checked.returncode == 0, checked.stdout
    repositories = yaml.safe_load(path.read_text())["repos"]
    assert {one["repo"] for one in repositories} == {"local"}
    hooks = [hook for one in repositories for hook in one["hooks"]]
    assert {hook["language"] for hook in hooks} == {"system"}
    assert all((BASE_DIR / hook["entry"].split()[0]).exists() for hook in hooks)
