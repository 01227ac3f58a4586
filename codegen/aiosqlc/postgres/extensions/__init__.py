"""Stand-ins for common extensions the embedded server lacks: their types and signatures, no behaviour."""
