-- The privileges that the queries of product need; regenerate with: make grants
GRANT SELECT, INSERT, UPDATE, DELETE ON `outbox` TO `product_service`;
GRANT SELECT, UPDATE ON `outbox_lane` TO `product_service`;
GRANT SELECT, INSERT ON `price_change` TO `product_service`;
GRANT SELECT, INSERT, UPDATE ON `product` TO `product_service`;
GRANT SELECT, INSERT, UPDATE ON `reservation` TO `product_service`;
GRANT SELECT, INSERT ON `reservation_line` TO `product_service`;
GRANT SELECT, INSERT ON `stock_movement` TO `product_service`;
