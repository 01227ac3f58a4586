"""Tests of the compiler. Run them in this folder's parent: `make test`."""
