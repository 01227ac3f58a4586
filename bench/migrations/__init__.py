"""Measures what requests notice of risky migrations, naively and as the compiler proposes them."""
