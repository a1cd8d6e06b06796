"""SQLAlchemy dialect and Alembic implementation for Apache Cassandra and ScyllaDB."""
