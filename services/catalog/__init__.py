"""The catalog service: services by category, and the providers who offer them."""
