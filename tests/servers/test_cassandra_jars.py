"""Which Java and which release a Cassandra server is started from, and what is said when there is none."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.servers import cache, cassandra_jars
from tests.servers.errors import DownloadFailed, NoServer

_GIVES_5_0_7 = """\
for argument; do
    case $argument in -DoutputDirectory=*) folder=${argument#*=} ;; esac
done
mkdir -p "$folder"
cp pom.xml "$folder/pom.xml"
: > "$folder/cassandra-all-5.0.7.jar"
"""


@pytest.fixture
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(cache, "CACHE", tmp_path / "cache")
    monkeypatch.setattr(cassandra_jars, "CACHE", tmp_path / "cache")
    monkeypatch.delenv("CASSANDRA_VERSION", raising=False)
    return tmp_path / "cache"


def _maven(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    programs = tmp_path / "programs"
    programs.mkdir(exist_ok=True)
    (programs / "mvn").write_text(f"#!/bin/sh\n{script}")
    (programs / "mvn").chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")


def test_the_newest_release_is_downloaded_once(
    empty_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _maven(tmp_path, monkeypatch, _GIVES_5_0_7)
    jars = cassandra_jars.cassandra_jars()
    assert jars == empty_cache / "cassandra" / "5.0.7"
    assert "<version>[5.0" in (jars / "pom.xml").read_text()
    _maven(tmp_path, monkeypatch, "exit 1")
    assert cassandra_jars.cassandra_jars() == jars
    assert [path.name for path in (empty_cache / "cassandra").glob("download-*")] == []


def test_after_a_day_the_newest_is_asked_for_again(
    empty_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _maven(tmp_path, monkeypatch, _GIVES_5_0_7.replace("5.0.7", "5.0.6"))
    assert cassandra_jars.cassandra_jars().name == "5.0.6"
    os.utime(empty_cache / "cassandra" / "newest.json", (0, 0))
    _maven(tmp_path, monkeypatch, "exit 1")
    assert cassandra_jars.cassandra_jars().name == "5.0.6", "nothing answers: the one that is here is used"
    os.utime(empty_cache / "cassandra" / "newest.json", (0, 0))
    _maven(tmp_path, monkeypatch, _GIVES_5_0_7)
    assert cassandra_jars.cassandra_jars().name == "5.0.7"
    assert json.loads((empty_cache / "cassandra" / "newest.json").read_text()) == {"version": "5.0.7"}


def test_cassandra_version_names_the_release(
    empty_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _maven(tmp_path, monkeypatch, _GIVES_5_0_7)
    monkeypatch.setenv("CASSANDRA_VERSION", "5.0.7")
    jars = cassandra_jars.cassandra_jars()
    assert "<version>5.0.7</version>" in (jars / "pom.xml").read_text()
    assert not (empty_cache / "cassandra" / "newest.json").exists()


@pytest.mark.parametrize("version", ["5.0</version>", "../5", "5 0"])
def test_a_version_that_is_none_is_refused(empty_cache: Path, monkeypatch: pytest.MonkeyPatch, version: str) -> None:
    monkeypatch.setenv("CASSANDRA_VERSION", version)
    with pytest.raises(NoServer, match="CASSANDRA_VERSION is no version"):
        cassandra_jars.cassandra_jars()


def test_a_download_that_fails_says_what_maven_said(
    empty_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _maven(tmp_path, monkeypatch, "echo could not resolve; exit 1")
    with pytest.raises(DownloadFailed, match=r"(?s)could not be downloaded.*status 1\ncould not resolve"):
        cassandra_jars.cassandra_jars()
    assert not [path for path in (empty_cache / "cassandra").iterdir() if path.is_dir()]


def test_without_maven_the_reason_is_given(empty_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NoServer, match="no mvn on PATH"):
        cassandra_jars.cassandra_jars()


def _java(home: Path, version: str) -> Path:
    (home / "bin").mkdir(parents=True)
    (home / "bin" / "java").write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\"' >&2\n")
    (home / "bin" / "java").chmod(0o755)
    return home


@pytest.fixture
def no_java(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cassandra_jars, "_INSTALLED", tmp_path / "jvm")
    monkeypatch.setattr(cassandra_jars, "CACHE", tmp_path / "cache")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)


@pytest.mark.usefixtures("no_java")
def test_without_java_the_reason_is_given() -> None:
    with pytest.raises(NoServer, match="found no Java"):
        cassandra_jars.find_java.__wrapped__()


@pytest.mark.usefixtures("no_java")
def test_java_of_another_version_is_not_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAVA_HOME", str(_java(tmp_path / "java-8", "1.8.0_292")))
    _java(tmp_path / "jvm" / "java-25", "25.0.1")
    with pytest.raises(NoServer, match="found only Java 25, 8"):
        cassandra_jars.find_java.__wrapped__()


@pytest.mark.usefixtures("no_java")
def test_java_17_is_found_beside_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAVA_HOME", str(_java(tmp_path / "java-25", "25.0.1")))
    home = _java(tmp_path / "jvm" / "java-17", "17.0.15")
    assert cassandra_jars.find_java.__wrapped__() == cassandra_jars.Java(home, 17)
