"""Convert MySQL's statements to the queries for which tenant separation is proved."""
