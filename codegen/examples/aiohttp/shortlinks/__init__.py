"""Short links, on aiohttp."""
