"""Pure values and rules: one room for goods, one for jobs."""
