"""The effects and locks that were observed while migrations ran, for every engine."""
