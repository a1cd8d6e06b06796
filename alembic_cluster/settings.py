"""What a run is told: keyword arguments, ``alembic.ini`` or ``pyproject.toml``, and the command line.

One setting has one name everywhere. ``allow_destructive`` is, in growing precedence:

* ``migration_lock(context, allow_destructive=True)`` in ``env.py``
* ``alembic_cluster.allow_destructive = true`` in the section of ``alembic.ini``, or in ``[tool.alembic]`` of
  ``pyproject.toml`` as ``"alembic_cluster.allow_destructive" = true``
* ``config.attributes["alembic_cluster"] = {"allow_destructive": True}`` of a program that calls ``alembic.command``
* ``-x allow-destructive`` or ``-x allow_destructive=true`` of any command, and ``--allow-destructive`` of those of
  ``alembic-cluster`` that have it
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from alembic_cluster.errors import ConfigurationError

if TYPE_CHECKING:
    from alembic.config import Config

PREFIX = "alembic_cluster."
_TRUE = frozenset({"", "1", "true", "yes", "on"})
_FALSE = frozenset({"0", "false", "no", "off"})
_TIME = re.compile(r"(\d+(?:\.\d+)?)\s*([a-z]*)")
_UNITS = {"": 1, "ms": 1, "s": 1000, "sec": 1000, "min": 60_000, "m": 60_000, "h": 3_600_000}
_LONGEST_TIME = 2**31 - 1  # milliseconds; more than three weeks


class Settings:
    """The settings of one run.

    :param config: Alembic's configuration; None outside a command.
    :param given: keyword arguments; None stands for one that is not given.
    """

    def __init__(self, config: Config | None, given: Mapping[str, Any] | None = None) -> None:
        self._config = config
        self._given = given or {}

    def get(self, name: str) -> tuple[Any, str] | None:
        """Give a setting and where it was said; None when nobody said it.

        :param name: with underscores.
        """
        config = self._config
        if config is not None:
            option = getattr(config.cmd_opts, name, None)
            if option is not None and option is not False:
                return option, f"--{name.replace('_', '-')}"
            if (argument := _x_arguments(config).get(name)) is not None:
                return argument, f"-x {name.replace('_', '-')}"
            attributes = config.attributes.get("alembic_cluster", {})
            if attributes.get(name) is not None:
                return attributes[name], f"config.attributes['alembic_cluster'][{name!r}]"
            written = config.get_alembic_option(PREFIX + name)
            if written is not None:
                return written, f"{PREFIX}{name} in {config.config_file_name or 'the configuration'}"
        if self._given.get(name) is not None:
            return self._given[name], f"{name}="
        return None

    def flag(self, name: str, default: bool = False) -> bool:
        """Give a setting that is on or off.

        :raises ConfigurationError: for any other value.
        """
        found = self.get(name)
        if found is None:
            return default
        value, where = found
        if isinstance(value, bool):
            return value
        word = str(value).strip().lower()
        if word in _TRUE or word in _FALSE:
            return word in _TRUE
        raise _refused(where, value, "true or false")

    def choice(self, name: str, choices: Collection[str], default: str) -> str:
        """Give a setting that is one of some words.

        :raises ConfigurationError: for any other value.
        """
        found = self.get(name)
        if found is None:
            return default
        value, where = found
        word = str(value).strip().lower()
        if word not in choices:
            raise _refused(where, value, f"one of {', '.join(sorted(choices))}")
        return word

    def number(self, name: str, default: float) -> float:
        """Give a setting that is a number, not below 0.

        :raises ConfigurationError: for any other value.
        """
        found = self.get(name)
        if found is None:
            return default
        value, where = found
        try:
            number = float(value)
        except (TypeError, ValueError):
            number = -1
        if not 0 <= number < float("inf"):
            raise _refused(where, value, "a number that is not below 0")
        return number

    def milliseconds(self, name: str) -> int | None:
        """Give a setting that is a time, such as ``500ms``, ``30s``, ``10min``, ``1h``; a bare number is milliseconds.

        :return: milliseconds, 0 for no limit; None when nobody said it.
        :raises ConfigurationError: for any other value.
        """
        found = self.get(name)
        if found is None:
            return None
        value, where = found
        match = _TIME.fullmatch(str(value).strip().lower())
        if match is None or match[2] not in _UNITS or float(match[1]) * _UNITS[match[2]] > _LONGEST_TIME:
            raise _refused(where, value, "a time such as 500ms, 30s, 10min or 1h (0 for no limit)")
        return round(float(match[1]) * _UNITS[match[2]])

    def text(self, name: str, default: str = "") -> str:
        """Give a setting as it was written."""
        found = self.get(name)
        return default if found is None else str(found[0]).strip()


def _x_arguments(config: Config) -> dict[str, str]:
    """Give what was said with ``-x``; dashes of a name count as underscores."""
    found = {}
    for argument in getattr(config.cmd_opts, "x", None) or ():
        name, _, value = argument.partition("=")
        found[name.strip().replace("-", "_")] = value
    return found


def _refused(where: str, value: Any, wanted: str) -> ConfigurationError:
    return ConfigurationError(f"{where} is {value!r}, and must be {wanted}. Nothing was sent.")
