"""Tests of the compiler. Run them in the parent folder: `make test`."""
