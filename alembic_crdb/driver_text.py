"""The last step of a statement's text on its way to a driver."""

from __future__ import annotations

import re
from typing import Any, Final

from sqlalchemy.engine import Dialect
from sqlalchemy.sql.compiler import DDLCompiler

#: Where SQLAlchemy puts in the schema of ``schema_translate_map``; it quotes the name itself.
_TRANSLATED: Final = re.compile(r'"(__\[SCHEMA_[^\]]*\])"')


def driver_text(compiler: DDLCompiler, text: str) -> str:
    """Write a statement as a compiler gives it to its driver.

    :param compiler: of the dialect; some drivers take ``%`` only doubled.
    :param text: as the server is to read it.
    """
    preparer: Any = compiler.preparer
    text = _TRANSLATED.sub(r"\1", text)
    return text.replace("%", "%%") if preparer._double_percents else text


def plain_text(dialect: Dialect, text: str) -> str:
    """Undo :func:`driver_text`: give a compiled text as the server is to read it."""
    preparer: Any = dialect.identifier_preparer
    return text.replace("%%", "%") if preparer._double_percents else text
