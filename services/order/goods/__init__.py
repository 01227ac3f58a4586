"""Orders of goods: reserve the stock, confirm the order, ship or cancel it."""
