"""The command line of the example."""

from __future__ import annotations

import argparse
import datetime
import sys
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal, InvalidOperation

from sqlalchemy import Engine, create_engine
from sqlalchemy.exc import SQLAlchemyError

from alembic_cluster.errors import ClusterError, first_line
from example_app.accounts import Account, Accounts, NoSuchAccount
from example_app.settings import ACCOUNTS, TIMELINE, database_url
from example_app.timeline import Timeline, UnknownKind
from example_app.timeline.service import happened_at


def main(argv: Sequence[str] | None = None) -> None:
    """Run one command.

    :param argv: the arguments without the program's name; ``sys.argv[1:]`` when None.
    :raises SystemExit: with a message and a non-zero status when the command fails.
    """
    arguments = _parser().parse_args(argv)
    try:
        arguments.run(arguments)
    except (NoSuchAccount, UnknownKind, ClusterError, SQLAlchemyError) as error:
        sys.exit(f"example_app: {first_line(error)}")


def _open(arguments: argparse.Namespace) -> None:
    with _connected() as (accounts, timeline):
        account = accounts.open(arguments.owner, arguments.currency)
        timeline.record(account.id, "opened", owner=account.owner, origin=["cli"])
    _print_account(account)


def _deposit(arguments: argparse.Namespace) -> None:
    _move(arguments.account, arguments.amount, "deposit", arguments.tag)


def _withdraw(arguments: argparse.Namespace) -> None:
    _move(arguments.account, -arguments.amount, "withdrawal", arguments.tag)


def _move(account_id: uuid.UUID, amount: Decimal, kind: str, tags: Sequence[str]) -> None:
    with _connected() as (accounts, timeline):
        account = accounts.add(account_id, amount)
        details = {"balance": str(account.balance), "currency": account.currency}
        timeline.record(
            account.id, kind, owner=account.owner, amount=amount, tags=tags, details=details, origin=["cli"]
        )
        if account.overdrawn:
            timeline.record(account.id, "reminder", details=details, origin=["system", "overdraft"])
    _print_account(account)


def _list(arguments: argparse.Namespace) -> None:
    with _engine(ACCOUNTS) as engine:
        for account in Accounts(engine).list(arguments.owner, only_overdrawn=arguments.overdrawn):
            _print_account(account)


def _show(arguments: argparse.Namespace) -> None:
    with _engine(TIMELINE) as engine:
        timeline = Timeline(engine)
        titles = timeline.kinds()
        events = timeline.day(arguments.account, arguments.day, kind=arguments.kind, limit=arguments.limit)
    for event in events:
        amount = "" if event.amount is None else f"{event.amount:+.2f}"
        tags = " ".join(f"#{tag}" for tag in sorted(event.tags or ()))
        title = titles.get(event.kind, event.kind)
        print(f"{happened_at(event.id):%Y-%m-%d %H:%M:%S}  {title:<36}{amount:>14}  {tags}".rstrip())


@contextmanager
def _engine(variable: str) -> Iterator[Engine]:
    engine = create_engine(database_url(variable))
    try:
        yield engine
    finally:
        engine.dispose()


@contextmanager
def _connected() -> Iterator[tuple[Accounts, Timeline]]:
    with _engine(ACCOUNTS) as accounts, _engine(TIMELINE) as timeline:
        yield Accounts(accounts), Timeline(timeline)


def _print_account(account: Account) -> None:
    mark = "  overdrawn" if account.overdrawn else ""
    print(f"{account.id}  {account.owner:<24}{account.balance:>14} {account.currency}{mark}")


def _amount(text: str) -> Decimal:
    try:
        amount = Decimal(text)
    except InvalidOperation:
        raise argparse.ArgumentTypeError(f"{text!r} is no amount") from None
    if not amount.is_finite() or amount <= 0 or amount != round(amount, 2):
        raise argparse.ArgumentTypeError(f"an amount is more than 0 and has two decimal places at most, not {text!r}")
    return amount


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"a whole number from 1 is wanted, not {text!r}")
    return int(text)


def _currency(text: str) -> str:
    if len(text) != 3 or not text.isalpha() or not text.isascii():
        raise argparse.ArgumentTypeError(f"a currency has three letters, such as EUR, not {text!r}")
    return text.upper()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m example_app", description="A small bank on two databases.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    command = commands.add_parser("open", help="open an account")
    command.add_argument("owner")
    command.add_argument("--currency", type=_currency, default="EUR")
    command.set_defaults(run=_open)

    for name, run in (("deposit", _deposit), ("withdraw", _withdraw)):
        command = commands.add_parser(name, help=f"{name} an amount")
        command.add_argument("account", type=uuid.UUID)
        command.add_argument("amount", type=_amount)
        command.add_argument("--tag", action="append", default=[])
        command.set_defaults(run=run)

    command = commands.add_parser("accounts", help="list accounts")
    command.add_argument("--owner")
    command.add_argument("--overdrawn", action="store_true")
    command.set_defaults(run=_list)

    command = commands.add_parser("timeline", help="list an account's events of one day, the newest first")
    command.add_argument("account", type=uuid.UUID)
    command.add_argument("--day", type=datetime.date.fromisoformat, help="in UTC, such as 2026-11-21 (today)")
    command.add_argument("--kind")
    command.add_argument("--limit", type=_count, default=100)
    command.set_defaults(run=_show)
    return parser
