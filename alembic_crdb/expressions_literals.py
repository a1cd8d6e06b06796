"""Constants of SQL by what they mean: ``'0'`` for a NUMERIC(12,2) is the ``0.00:::DECIMAL`` that the server stores.

A constant is its text, the kind of token it was (a string, a number, ...) and the type that a cast, an annotation or
the column gives it. :func:`value_of` gives what it means, in a form that compares and prints; a text that its type
cannot read stays the text that it is.
"""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Context, Decimal, InvalidOperation
from typing import Any, Final

from alembic_crdb.catalog import SQLType
from alembic_crdb.lexer import read_escapes

#: Rounds at the digits that are asked for, never at those of the context.
_WIDE: Final = Context(prec=1000)

_FAMILIES: Final[Mapping[str, str]] = {
    name: family
    for family, names in {
        "number": "INT2 INT4 INT8 FLOAT4 FLOAT8 DECIMAL OID",
        "string": 'STRING VARCHAR CHAR BPCHAR NAME CITEXT LTREE TSVECTOR TSQUERY "char"',
        "bool": "BOOL",
        "bytes": "BYTES",
        "bit": "BIT VARBIT",
        "json": "JSONB",
        "interval": "INTERVAL",
        "timestamp": "TIMESTAMP",
        "timestamptz": "TIMESTAMPTZ",
        "date": "DATE",
        "time": "TIME",
        "timetz": "TIMETZ",
        "uuid": "UUID",
        "inet": "INET",
        "object": "REGCLASS REGTYPE REGPROC REGPROCEDURE REGNAMESPACE REGROLE",
    }.items()
    for name in names.split()
}
#: The one word that CockroachDB prints for each of its types' other names.
_SYNONYMS: Final[Mapping[str, str]] = {
    synonym: name
    for name, synonyms in {
        "STRING": "TEXT",
        "INT8": "INT INTEGER BIGINT INT64",
        "INT2": "SMALLINT",
        "FLOAT4": "REAL",
        "FLOAT8": "FLOAT DOUBLE",
        "DECIMAL": "NUMERIC DEC",
        "BOOL": "BOOLEAN",
        "BYTES": "BYTEA BLOB",
        "JSONB": "JSON",
        "CHAR": "CHARACTER BPCHAR",
    }.items()
    for synonym in synonyms.split()
}


def canonical_type(kind: SQLType) -> SQLType:
    """Give a type as ``SHOW CREATE`` prints it: ``STRING`` for TEXT, ``INT8`` for INTEGER, ``CHAR`` for CHAR(1).

    :param kind: a type as :func:`alembic_crdb.parser.parse_type` reads it.
    """
    if not isinstance(kind.name, str):
        return kind
    name, args = _SYNONYMS.get(kind.name, kind.name), kind.args
    if kind.name == "FLOAT" and args:
        # FLOAT(n) has n binary digits of precision, of which a FLOAT4 has 24.
        name, args = ("FLOAT4" if args[0].isdigit() and int(args[0]) <= 24 else "FLOAT8"), ()
    elif name in {"CHAR", "BIT"} and args == ("1",):
        args = ()
    elif name == "DECIMAL" and args[1:] == ("0",):
        args = args[:1]
    return SQLType(name, args, kind.fields, kind.dimensions, kind.collation)


def family_of(kind: SQLType | None) -> str | None:
    """Give the family in which constants of a type are compared; ``None`` for no type, arrays and unknown types."""
    if kind is None or kind.dimensions:
        return None
    if not isinstance(kind.name, str):
        return "enum"
    return _FAMILIES.get(_SYNONYMS.get(kind.name, kind.name), kind.name.lower())


def value_of(text: str, family: str, kind: SQLType | None = None) -> Any:
    """Give what a constant means, as a value that compares with others of its family.

    :param text: of the constant, without quotes; hexadecimal digits for bytes that were written as such.
    :param family: as :func:`family_of` gives it.
    :param kind: its type, for the digits that it keeps.
    :returns: a value of any kind; the text itself where the family cannot read it.
    """
    read = _READERS.get(family)
    if read is None:
        return text
    try:
        value = read(text, _digits(kind))
    except (ValueError, ArithmeticError, RecursionError):
        return text
    return text if value is None else value


def _digits(kind: SQLType | None) -> int | None:
    """Give the digits behind the point that a type keeps, as far as it says so."""
    if kind is None or not kind.args or not kind.args[-1].isdigit():
        return None
    if kind.name in {"DECIMAL", "NUMERIC", "DEC"}:
        return int(kind.args[1]) if len(kind.args) > 1 else 0
    if kind.name in {"TIME", "TIMETZ", "TIMESTAMP", "TIMESTAMPTZ", "INTERVAL"}:
        return int(kind.args[0])
    return None


def _number(text: str, digits: int | None) -> str:
    word = text.strip().lower().lstrip("+")
    special = {"nan": "NaN", "inf": "Infinity", "infinity": "Infinity"}.get(word.lstrip("-"))
    if special is not None:
        return f"-{special}" if word.startswith("-") else special
    if word.startswith("0x"):
        return str(int(word, 16))
    try:
        number = Decimal(word)
    except InvalidOperation:
        raise ValueError(text) from None
    if not -400 < number.adjusted() < 400:
        # No type of CockroachDB holds it; written out it could be very long.
        return str(number)
    if digits is not None and number.as_tuple().exponent < -digits:  # type: ignore[operator]
        number = number.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP, _WIDE)
    plain = f"{number:f}"
    if "." in plain:
        plain = plain.rstrip("0").rstrip(".")
    return "0" if plain in {"-0", ""} else plain


def _bool(text: str, _digits: int | None) -> str | None:
    word = text.strip().lower()
    if word and ("true".startswith(word) or "yes".startswith(word) or word in {"on", "1"}):
        return "true"
    if word and ("false".startswith(word) or "no".startswith(word) or word in {"off", "of", "0"}):
        return "false"
    return None


def _bytes(text: str, _digits: int | None) -> str:
    if text[:2] == "\\x":
        return bytes.fromhex(text[2:]).hex()
    if "\\" in text:
        return read_escapes(text).hex()
    return text.encode("utf-8").hex()


#: Marks a number in a JSON document while it is put in order; no JSON string of CockroachDB has a NUL.
_MARK: Final = "\0"
_MARKED: Final = re.compile(r'"\\u0000([^"]*)"')


def _json(text: str, _digits: int | None) -> str:
    def keep(digits: str) -> str:
        return _MARK + _number(digits, None)

    value = json.loads(text, parse_float=keep, parse_int=keep)
    return _MARKED.sub(r"\1", json.dumps(value, sort_keys=True))


_UNITS: Final[Mapping[str, tuple[str, Decimal]]] = {
    name: (part, Decimal(size))
    for part, size, names in (
        ("months", 12000, "millennium millennia mil mils"),
        ("months", 1200, "century centuries cent c"),
        ("months", 120, "decade decades dec decs"),
        ("months", 12, "year years yr yrs y"),
        ("months", 1, "month months mon mons"),
        ("days", 7, "week weeks w"),
        ("days", 1, "day days d"),
        ("seconds", 3600, "hour hours hr hrs h"),
        ("seconds", 60, "minute minutes min mins m"),
        ("seconds", 1, "second seconds sec secs s"),
    )
    for name in names.split()
} | {
    name: ("seconds", Decimal(size))
    for size, names in (
        ("0.001", "millisecond milliseconds msec msecs ms"),
        ("0.000001", "microsecond microseconds usec usecs us"),
    )
    for name in names.split()
}
_ISO_UNITS: Final[Mapping[str, str]] = {"Y": "year", "W": "week", "D": "day", "H": "hour", "S": "second"}
_AMOUNT: Final = re.compile(r"\s*([+-]?(?:\d+\.?\d*|\.\d+))\s*([A-Za-z]+)\s*,?")
_CLOCK: Final = re.compile(r"\s*([+-]?)(\d+):(\d\d?)(?::(\d\d?(?:\.\d*)?))?\s*")
_YEARS_MONTHS: Final = re.compile(r"\s*([+-]?)(\d+)-(\d+)\s*")
_ISO: Final = re.compile(r"(-?)P((?:-?[\d.]+[YMWD])*)(?:T((?:-?[\d.]+[HMS])+))?")


def _interval(text: str, digits: int | None) -> str:
    iso = _ISO.fullmatch(text.strip())
    if iso is not None and (iso[2] or iso[3]):
        amounts = [(amount, _iso_unit(unit, False)) for amount, unit in re.findall("(-?[0-9.]+)([YMWD])", iso[2])]
        amounts += [(amount, _iso_unit(unit, True)) for amount, unit in re.findall("(-?[0-9.]+)([HMS])", iso[3] or "")]
        return _interval_text(_sum(amounts), digits)
    parts = {"months": Decimal(0), "days": Decimal(0), "seconds": Decimal(0)}
    at, rest = 0, text.strip()
    sign = -1 if rest.lower().endswith(" ago") else 1
    rest = rest[:-4] if sign < 0 else rest
    while at < len(rest):
        amount = _AMOUNT.match(rest, at)
        clock = _CLOCK.match(rest, at)
        years = _YEARS_MONTHS.match(rest, at)
        if clock is not None:
            seconds = Decimal(clock[2]) * 3600 + Decimal(clock[3]) * 60 + Decimal(clock[4] or 0)
            parts["seconds"] += -seconds if clock[1] == "-" else seconds
        elif years is not None:
            months = Decimal(years[2]) * 12 + Decimal(years[3])
            parts["months"] += -months if years[1] == "-" else months
        elif amount is not None:
            for part, value in _sum([(amount[1], amount[2].lower())]).items():
                parts[part] += value
        else:
            parts["seconds"] += Decimal(rest[at:].strip())
            break
        at = (clock or years or amount).end()  # type: ignore[union-attr]
    # Adding 0 makes a 0 of a -0.
    return _interval_text({part: value * sign + 0 for part, value in parts.items()}, digits)


def _iso_unit(letter: str, of_time: bool) -> str:
    if letter == "M":
        return "minute" if of_time else "month"
    return _ISO_UNITS[letter]


def _sum(amounts: list[tuple[str, str]]) -> dict[str, Decimal]:
    """Add amounts up; a part of a month is a part of 30 days, a part of a day is hours."""
    parts = {"months": Decimal(0), "days": Decimal(0), "seconds": Decimal(0)}
    for amount, unit in amounts:
        if unit not in _UNITS:
            raise ValueError(unit)
        part, size = _UNITS[unit]
        parts[part] += Decimal(amount) * size
    whole = parts["months"].to_integral_value("ROUND_DOWN")
    parts["days"] += (parts["months"] - whole) * 30
    parts["months"] = whole
    whole = parts["days"].to_integral_value("ROUND_DOWN")
    parts["seconds"] += (parts["days"] - whole) * 86400
    parts["days"] = whole
    return parts


def _interval_text(parts: Mapping[str, Decimal], digits: int | None) -> str:
    exponent = Decimal(1).scaleb(-min(6 if digits is None else digits, 6))
    seconds = parts["seconds"].quantize(exponent, ROUND_HALF_UP)
    return f"{parts['months']:f} mons {parts['days']:f} days {_number(str(seconds), None)} s"


_TIME: Final = r"(\d\d?):(\d\d)(?::(\d\d)(?:\.(\d+))?)?"
_ZONE: Final = r"\s*(?:(Z|z|UTC|utc)|([+-])(\d\d?)(?::?(\d\d))?(?::(\d\d))?)?"
_DATE: Final = r"(\d{4})-(\d\d?)-(\d\d?)"
_MOMENT: Final = re.compile(rf"\s*{_DATE}(?:[ T]+{_TIME})?{_ZONE}\s*")
_TIME_OF_DAY: Final = re.compile(rf"\s*{_TIME}{_ZONE}\s*")
#: What v21.1 stores for the ends of time, which later versions keep as words.
_ENDLESS: Final[Mapping[str, str]] = {
    "infinity": "infinity",
    "+infinity": "infinity",
    "294276-12-31 23:59:59.999999": "infinity",
    "294276-12-31 23:59:59.999999+00:00": "infinity",
    "-infinity": "-infinity",
    "-4714-11-24 00:00:00": "-infinity",
    "-4714-11-24 00:00:00+00:00": "-infinity",
}


def _moment(zoned: bool) -> Callable[[str, int | None], str | None]:
    def read(text: str, digits: int | None) -> str | None:
        endless = _ENDLESS.get(text.strip().lower())
        if endless is not None:
            return endless
        match = _MOMENT.fullmatch(text)
        if match is None:
            return None
        year, month, day, hour, minute, second, fraction = match.groups()[:7]
        moment = datetime(int(year), int(month), int(day), int(hour or 0), int(minute or 0), int(second or 0))
        moment += _fraction(fraction, digits)
        if zoned:
            moment -= _offset(match.groups()[7:])
        return moment.isoformat(" ")

    return read


def _fraction(digits_text: str | None, digits: int | None) -> timedelta:
    kept = min(6 if digits is None else digits, 6)
    exact = Decimal(f"0.{digits_text or 0}").quantize(Decimal(1).scaleb(-kept), ROUND_HALF_UP)
    return timedelta(microseconds=int(exact * 1_000_000))


def _offset(groups: tuple[str | None, ...]) -> timedelta:
    _utc, sign, hours, minutes, seconds = groups
    offset = timedelta(hours=int(hours or 0), minutes=int(minutes or 0), seconds=int(seconds or 0))
    return -offset if sign == "-" else offset


def _time(zoned: bool) -> Callable[[str, int | None], str | None]:
    def read(text: str, digits: int | None) -> str | None:
        match = _TIME_OF_DAY.fullmatch(text)
        if match is None:
            return None
        hour, minute, second, fraction = match.groups()[:4]
        time = timedelta(hours=int(hour), minutes=int(minute), seconds=int(second or 0))
        shown = str(time + _fraction(fraction, digits))
        return f"{shown} {_offset(match.groups()[4:])}" if zoned else shown

    return read


def _date(text: str, _digits: int | None) -> str | None:
    moment = _moment(False)(text, None)
    return moment if moment is None or "infinity" in moment else moment[:10]


def _uuid(text: str, _digits: int | None) -> str | None:
    digits = text.strip().lower().removeprefix("urn:uuid:").strip("{}").replace("-", "")
    return digits if re.fullmatch("[0-9a-f]{32}", digits) else None


def _inet(text: str, _digits: int | None) -> str:
    interface = ipaddress.ip_interface(text.strip())
    full = interface.network.prefixlen == interface.max_prefixlen
    return str(interface.ip) if full else str(interface)


_NAME_PART: Final = re.compile(r'"((?:[^"]|"")*)"|([^".]+)')


def _object(text: str, _digits: int | None) -> tuple[str, ...] | None:
    """Give the parts of an object's name, the last first, as one text may name a schema that another leaves out."""
    parts = [quoted.replace('""', '"') or bare.strip().lower() for quoted, bare in _NAME_PART.findall(text)]
    return tuple(reversed(parts)) or None


_READERS: Final[Mapping[str, Callable[[str, int | None], Any]]] = {
    "number": _number,
    "bool": _bool,
    "bytes": _bytes,
    "json": _json,
    "interval": _interval,
    "timestamp": _moment(False),
    "timestamptz": _moment(True),
    "date": _date,
    "time": _time(False),
    "timetz": _time(True),
    "uuid": _uuid,
    "inet": _inet,
    "object": _object,
}
