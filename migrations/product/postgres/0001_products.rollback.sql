DROP TABLE stock_movement;
DROP TABLE reservation_line;
DROP TABLE reservation;
DROP TABLE price_change;
DROP TABLE product;
DROP TYPE stock_movement_reason;
DROP TYPE reservation_status;
DROP TYPE product_status;
