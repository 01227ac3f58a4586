"""The compiler pipeline, from a configuration to files on disk, with reuse of earlier results."""
