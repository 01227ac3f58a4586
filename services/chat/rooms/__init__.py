"""Connected users, ordered delivery to them, and the exchange between replicas."""
