-- Eight products with fixed ids; one is not for sale at the moment. Each is in the ledger and in the price history.

INSERT INTO product (id, name, description, price, currency, stock, status) VALUES
    (x'01890000000070008000000000000a01', 'Cordless drill', '18 V, two batteries, in a case', 129.00, 'EUR', 40, 'active'),
    (x'01890000000070008000000000000a02', 'Claw hammer', '450 g, fibreglass handle', 19.90, 'EUR', 120, 'active'),
    (x'01890000000070008000000000000a03', 'Paint roller set', 'Roller, tray and two covers', 14.50, 'EUR', 75, 'active'),
    (x'01890000000070008000000000000a04', 'White wall paint', 'Matt, 10 litres, for indoors', 49.95, 'EUR', 60, 'active'),
    (x'01890000000070008000000000000a05', 'Kitchen tap', 'Single lever, chrome', 89.00, 'EUR', 25, 'active'),
    (x'01890000000070008000000000000a06', 'Smoke detector', 'Ten-year battery', 24.99, 'EUR', 200, 'active'),
    (x'01890000000070008000000000000a07', 'Step ladder', 'Five steps, aluminium', 74.00, 'USD', 0, 'active'),
    (x'01890000000070008000000000000a08', 'Pressure washer', '1.8 kW, returns in spring', 179.00, 'USD', 12, 'inactive');

-- Ids of their own: the product's with another mark.
INSERT INTO price_change (id, product_id, price, currency, changed_by)
SELECT unhex(insert(hex(id), 30, 1, 'B')), id, price, currency, 'system' FROM product
WHERE id BETWEEN x'01890000000070008000000000000a01' AND x'01890000000070008000000000000a08';

INSERT INTO stock_movement (id, product_id, product_version, delta, stock_after, reason, actor)
SELECT unhex(insert(hex(id), 30, 1, 'C')), id, 1, stock, stock, 'counted', 'system' FROM product
WHERE stock > 0 AND id BETWEEN x'01890000000070008000000000000a01' AND x'01890000000070008000000000000a08';
