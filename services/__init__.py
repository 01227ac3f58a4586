"""The platform's services; each is a package that imports `lib` and never another service."""
