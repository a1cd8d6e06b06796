"""What a Cassandra server is made of: a Java runtime, and the jars that Maven resolves."""

from __future__ import annotations

import functools
import json
import os
import re
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from tests.servers.cache import CACHE, locked, run_tool
from tests.servers.errors import DownloadFailed, NoServer, ServerError

# The newest 5.0 release; the floor only keeps a stale index from giving an old one.
_NEWEST = "[5.0.5,5.0.9999]"
_NEWEST_IS_CHECKED_AFTER = 24 * 3600.0
_INSTALLED = Path("/usr/lib/jvm")
_COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies"
_POM = """\
<?xml version="1.0" encoding="UTF-8"?>
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>local</groupId>
  <artifactId>cassandra-server</artifactId>
  <version>1</version>
  <packaging>pom</packaging>
  <dependencies>
    <dependency>
      <groupId>org.apache.cassandra</groupId>
      <artifactId>cassandra-all</artifactId>
      <version>{version}</version>
    </dependency>
  </dependencies>
</project>
"""


@dataclass(frozen=True)
class Java:
    """A Java runtime: ``home`` is what JAVA_HOME would name, ``major`` its version, such as 17."""

    home: Path
    major: int

    @property
    def java(self) -> Path:
        """The program ``java``."""
        return self.home / "bin" / "java"

    @property
    def keytool(self) -> Path:
        """The program ``keytool``."""
        return self.home / "bin" / "keytool"


@functools.cache
def find_java() -> Java:
    """Give a Java 17 or 11, the versions that Cassandra 5.0 names as its own.

    It is looked for in JAVA_HOME, on PATH, in /usr/lib/jvm and in ``.cache/jdk`` (``scripts/test`` fills it
    if the system has none).

    :raises NoServer: there is none.
    """
    homes = [Path(home) for home in [os.environ.get("JAVA_HOME")] if home]
    if on_path := shutil.which("java"):
        homes.append(Path(on_path).resolve().parent.parent)
    homes += sorted(_INSTALLED.glob("*"), reverse=True)
    homes += sorted(CACHE.glob("jdk/**/java-runtime"))
    found = [java for home in homes if (java := _java_at(home)) is not None]
    for java in found:
        if java.major in (17, 11):
            return java
    versions = sorted({str(java.major) for java in found})
    seen = f"found only Java {', '.join(versions)}" if versions else "found no Java"
    raise NoServer(f"Cassandra needs Java 17 or 11: {seen}; install openjdk-17-jre-headless or set JAVA_HOME")


def _java_at(home: Path) -> Java | None:
    program = home / "bin" / "java"
    if not os.access(program, os.X_OK):
        return None
    try:
        shown = subprocess.run(
            [program, "-XX:-UsePerfData", "-version"], capture_output=True, text=True, check=False, timeout=30
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    match = re.search(r'version "(?:1\.)?(\d+)', shown.stderr + shown.stdout)
    return Java(home, int(match[1])) if match else None


def cassandra_jars() -> Path:
    """Give the folder with all jars of one Cassandra release, downloaded on first use.

    The environment variable ``CASSANDRA_VERSION`` names the release, such as ``5.0.6``; without it, it is the
    newest 5.0. Which that is, is asked once a day; while nothing answers, the newest that is here is used.

    :raises NoServer: Maven is needed and is not installed.
    :raises DownloadFailed: Maven could not get the jars, and there are none here.
    """
    wanted = os.environ.get("CASSANDRA_VERSION", "").strip()
    if not re.fullmatch(r"[\w.-]*", wanted) or wanted.startswith("."):
        raise NoServer(f"CASSANDRA_VERSION is no version: {wanted!r}")
    with locked("cassandra") as folder:
        if wanted:
            jars = folder / wanted
            return jars if jars.is_dir() else _download(folder, wanted)
        newest = folder / "newest.json"
        known = _newest_known(folder, newest)
        if known is not None and time.time() - newest.stat().st_mtime < _NEWEST_IS_CHECKED_AFTER:
            return known
        try:
            jars = _download(folder, _NEWEST)
        except (DownloadFailed, NoServer):
            if known is None:
                raise
            jars = known
        newest.write_text(json.dumps({"version": jars.name}))
        return jars


def _newest_known(folder: Path, newest: Path) -> Path | None:
    try:
        jars = folder / str(json.loads(newest.read_text())["version"])
    except (OSError, ValueError, KeyError):
        return None
    return jars if jars.is_dir() else None


def _maven_environment(temporary: Path) -> dict[str, str]:
    options = f"{os.environ.get('MAVEN_OPTS', '')} -XX:-UsePerfData -Djava.io.tmpdir={temporary}"
    environment = {"MAVEN_OPTS": options.strip()}
    # Maven runs on the machine's own Java, which knows the certificates that the machine trusts.
    if not os.environ.get("JAVA_HOME") and shutil.which("java") is None:
        environment["JAVA_HOME"] = str(find_java().home)
    return environment


def _download(folder: Path, version: str) -> Path:
    maven = shutil.which("mvn")
    if maven is None:
        raise NoServer("Cassandra's jars come from Maven, and there is no mvn on PATH; install Maven")
    work = folder / f"download-{os.getpid()}"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    try:
        (work / "pom.xml").write_text(_POM.format(version=version))
        run_tool(
            [
                maven,
                "--batch-mode",
                "--quiet",
                f"-Dmaven.repo.local={CACHE / 'maven'}",
                _COPY,
                "-DincludeScope=runtime",
                f"-DoutputDirectory={work / 'jars'}",
            ],
            cwd=work,
            env=_maven_environment(work),
            what=f"Cassandra {version} could not be downloaded",
        )
        found = [
            match[1]
            for jar in (work / "jars").iterdir()
            if (match := re.fullmatch(r"cassandra-all-(.+)\.jar", jar.name))
        ]
        if len(found) != 1:
            raise DownloadFailed(f"Maven gave no cassandra-all for version {version}")
        jars = folder / found[0]
        if not jars.is_dir():
            (work / "jars").rename(jars)
        return jars
    finally:
        shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    try:
        cassandra_jars()
    except ServerError as error:
        sys.exit(f"error: {error}")
