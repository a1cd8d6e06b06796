"""What the server prints of a database, apart from what we make of it."""

# Looked up one by one: read whole, crdb_internal.create_statements goes through 250 virtual tables first.
DEFINITIONS = (
    "SELECT c.schema_name, c.descriptor_name, c.create_statement, c.descriptor_id "
    "FROM (SELECT table_id FROM crdb_internal.tables WHERE database_name = current_database() AND state = 'PUBLIC' "
    "AND left(schema_name, 8) <> 'pg_temp_') AS t "
    "INNER LOOKUP JOIN crdb_internal.create_statements AS c ON c.descriptor_id = t.table_id"
)
