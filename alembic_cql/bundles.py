"""Secure connect bundles: the zip that DataStax gives for a database, checked before anything is sent.

What is in one: ``cassandra/datastax/cloud`` in cassandra-driver, whose own reading of it comes with the first network
call, writes a traceback to the log, and needs a folder beside the bundle that it may write to.
"""

from __future__ import annotations

import json
import ssl
import tempfile
import zipfile
from pathlib import Path
from typing import Any

from alembic_cluster.errors import ConfigurationError

_CONFIG, _AUTHORITY, _CERTIFICATE, _KEY = "config.json", "ca.crt", "cert", "key"


def check_bundle(path: str) -> None:
    """Refuse what is no secure connect bundle.

    :param path: of a file.
    :raises ConfigurationError: saying what is wrong with it; nothing was sent.
    """
    bundle_context(path)


def bundle_context(path: str) -> ssl.SSLContext:
    """Make the TLS context of a bundle: it trusts the bundle's authority and shows the bundle's certificate.

    The name in the server's certificate isn't checked: nodes are asked for by their ids, which no certificate has.

    :param path: of a file.
    :raises ConfigurationError: for what is no bundle, or certificates that can't be used; nothing was sent.
    """
    try:
        with zipfile.ZipFile(path) as bundle:
            files = {name: bundle.read(name) for name in (_CONFIG, _AUTHORITY, _CERTIFICATE, _KEY)}
        _check_address(json.loads(files[_CONFIG]))
        context = ssl.create_default_context(cadata=files[_AUTHORITY].decode("ascii"))
        context.check_hostname = False
        with tempfile.TemporaryDirectory() as folder:  # ssl reads a key from a file and from nothing else
            for name in (_CERTIFICATE, _KEY):
                (Path(folder) / name).write_bytes(files[name])
            context.load_cert_chain(Path(folder) / _CERTIFICATE, Path(folder) / _KEY, password="")
    except (zipfile.BadZipFile, KeyError, ValueError, OSError) as error:
        raise ConfigurationError(
            f"secure_connect_bundle {path!r} cannot be used: {_reason(error)}; download it again from the database's "
            "console. Nothing was sent"
        ) from error
    return context


def _check_address(config: Any) -> None:
    host = config.get("host") if isinstance(config, dict) else None
    port = config.get("port") if isinstance(config, dict) else None
    if not isinstance(host, str) or not host or not str(port).isdigit():
        raise ValueError(f"its {_CONFIG} names no host and port")


def _reason(error: Exception) -> str:
    if isinstance(error, zipfile.BadZipFile):
        return "it is no zip file"
    if isinstance(error, KeyError):  # as zipfile says it
        return str(error.args[0]).replace(" in the archive", "")
    if isinstance(error, ssl.SSLError):
        return f"its certificates or key are none that TLS takes ({' '.join(str(error).split())})"
    if isinstance(error, json.JSONDecodeError):
        return f"its {_CONFIG} is no JSON"
    return " ".join(str(error).split())
