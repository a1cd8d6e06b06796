"""What alembic_crdb and alembic_cql share."""
