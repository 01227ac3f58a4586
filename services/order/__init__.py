"""The order service: orders of goods, and service orders with their offers and jobs."""
