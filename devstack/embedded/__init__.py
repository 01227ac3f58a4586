"""Real servers from wheels (PostgreSQL, Redis, NGINX), for machines without installed servers."""
