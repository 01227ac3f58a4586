"""Connected users, ordered delivery to users, and the exchange of messages between replicas."""
