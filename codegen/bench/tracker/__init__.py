"""Five queries of examples/tracker, in SQLAlchemy."""
