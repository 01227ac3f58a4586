"""Record batches beside rows, ADBC and sqlspec."""
