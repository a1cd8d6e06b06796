"""Run the command line: ``python -m example_app``."""

from example_app.cli import main

main()
