"""Real servers for the tests: PostgreSQL from its wheel, MariaDB and PgBouncer where installed."""
