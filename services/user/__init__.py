"""The people: the HR list with statistics and points."""
