"""Classes for the effects and locks that are observed while migrations run, for every engine."""
