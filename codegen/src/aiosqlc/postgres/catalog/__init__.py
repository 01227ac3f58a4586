"""Read a database's catalog: keys, NOT NULL columns and other input of the inference."""
