"""What ``alembic-cluster`` adds to Alembic's command line: one module for each command."""
