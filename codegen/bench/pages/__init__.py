"""Random pages by sort keys under concurrent changes, and their speed."""
