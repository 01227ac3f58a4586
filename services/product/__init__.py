"""The product service: what is for sale, how many there are, and who has reserved them."""
