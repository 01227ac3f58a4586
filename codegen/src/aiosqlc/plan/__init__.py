"""Plan the Python modules for typed queries: their names, annotations, classes and imports."""
