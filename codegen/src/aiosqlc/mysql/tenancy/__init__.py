"""Convert MySQL's statements to the queries from which tenant separation is proved."""
