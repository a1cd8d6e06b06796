"""Fixtures for all tests; what they are is said where they are."""

pytest_plugins = ["pytester", "tests.servers.fixtures", "tests.servers.grammar_plugin"]
