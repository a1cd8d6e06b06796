"""The accounts: their models, and what can be done to them."""

from example_app.accounts.models import Account, Base
from example_app.accounts.service import Accounts, NoSuchAccount

__all__ = ["Account", "Accounts", "Base", "NoSuchAccount"]
