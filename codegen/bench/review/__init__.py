"""The time of a review beside the time to compile its project."""
