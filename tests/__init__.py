"""The tests. A package, so that the demo can import ``tests.servers`` too."""
