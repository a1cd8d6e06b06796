"""Fixtures for all tests; what they are is said where they are."""

pytest_plugins = ["tests.servers.fixtures"]
