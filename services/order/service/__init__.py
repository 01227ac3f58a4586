"""The rules: one room for goods, one for jobs."""
