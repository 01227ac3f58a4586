"""An endpoint with the whole middleware against a bare handler and FastAPI with SQLAlchemy."""
