"""Infrastructure that every service shares. The library contains no business logic."""
