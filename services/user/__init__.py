"""User accounts, sessions and roles, and the list of users with statistics and points."""
