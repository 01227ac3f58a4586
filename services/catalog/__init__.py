"""The catalog service: what customers can order, ordered by category, and who offers it."""
