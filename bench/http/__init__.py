"""An endpoint with the whole shell against a bare handler and FastAPI with SQLAlchemy."""
