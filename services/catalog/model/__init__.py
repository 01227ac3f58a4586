"""Pure values of the catalogue: what may be asked for, and what may be said."""
