"""The chat service: messages between the customer and the provider of an order or a job."""
