"""Real servers for the tests: PostgreSQL from its wheel, and installed MariaDB and PgBouncer."""
