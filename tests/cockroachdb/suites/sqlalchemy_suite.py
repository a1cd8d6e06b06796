"""What SQLAlchemy's suite for dialects has about reflection, DDL and sequences."""

from sqlalchemy.testing.suite.test_ddl import *  # noqa: F403
from sqlalchemy.testing.suite.test_reflection import *  # noqa: F403
from sqlalchemy.testing.suite.test_sequence import *  # noqa: F403
