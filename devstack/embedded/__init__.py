"""Real servers from wheels (PostgreSQL, Redis, NGINX): what runs where nobody installed any."""
