"""What the application does with accounts."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from decimal import Decimal

from sqlalchemy import Engine, insert, select, update
from sqlalchemy.orm import Session, sessionmaker
from sqlalchemy_cockroachdb import run_transaction

from example_app.accounts.models import Account


class NoSuchAccount(Exception):
    """There is no account with this id; nothing was changed."""


class Accounts:
    """The accounts of one database.

    :param engine: of the database; CockroachDB may ask to run a transaction again, which each method does.
    """

    def __init__(self, engine: Engine) -> None:
        self._sessions = sessionmaker(engine, expire_on_commit=False)

    def open(self, owner: str, currency: str = "EUR") -> Account:
        """Open an account with nothing on it."""
        statement = insert(Account).values(owner=owner, currency=currency).returning(Account)

        def work(session: Session) -> Account:
            return session.scalars(statement).one()

        return _run(self._sessions, work)

    def add(self, account_id: uuid.UUID, amount: Decimal) -> Account:
        """Add an amount to an account; a negative one may overdraw it.

        :return: the account as it is now.
        :raises NoSuchAccount: there is none with this id.
        """
        statement = (
            update(Account).where(Account.id == account_id).values(balance=Account.balance + amount).returning(Account)
        )

        def work(session: Session) -> Account:
            account = session.scalars(statement).one_or_none()
            if account is None:
                raise NoSuchAccount(f"there is no account {account_id}")
            return account

        return _run(self._sessions, work)

    def list(self, owner: str | None = None, *, only_overdrawn: bool = False) -> Sequence[Account]:
        """List accounts, the oldest first.

        :param owner: of this owner only.
        :param only_overdrawn: only those with less than nothing on them.
        """
        statement = select(Account).order_by(Account.opened_at, Account.id)
        if owner is not None:
            statement = statement.where(Account.owner == owner)
        if only_overdrawn:
            statement = statement.where(Account.overdrawn.is_(True))
        with self._sessions() as session:
            return session.scalars(statement).all()


def _run(sessions: sessionmaker[Session], work: object) -> Account:
    account: Account = run_transaction(sessions, work)
    return account
