"""Stand-ins for extensions the embedded server lacks: types and signatures, no behaviour."""
