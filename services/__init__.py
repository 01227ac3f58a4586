"""The platform's services. A service is a package that imports `lib`, but no other service."""
