-- Two finished orders of Alice's, at the prices of the demo products; nothing is reserved for them any more.

INSERT INTO goods_order (
    id, user_id, status, pending_validation, total, currency, cancel_reason, stock, reservation_id,
    created_by, updated_by, version, created_at, updated_at
) VALUES
    (
        '01890000-0000-7000-8000-000000000901', '01890000-0000-7000-8000-000000000001', 'delivered', false, 178.95, 'EUR', NULL,
        'sold', '01890000-0000-7000-8000-000000000981', '01890000-0000-7000-8000-000000000001', 'system', 4,
        '2023-03-01T09:00:00Z', '2023-03-04T15:30:00Z'
    ),
    (
        '01890000-0000-7000-8000-000000000902', '01890000-0000-7000-8000-000000000001', 'cancelled', false, 29.00, 'EUR',
        'cancelled by the customer', 'returned', '01890000-0000-7000-8000-000000000982',
        '01890000-0000-7000-8000-000000000001', '01890000-0000-7000-8000-000000000001', 2,
        '2023-03-02T09:00:00Z', '2023-03-02T09:05:00Z'
    );

INSERT INTO goods_order_line (order_id, position, product_id, quantity, unit_price) VALUES
    ('01890000-0000-7000-8000-000000000901', 0, '01890000-0000-7000-8000-000000000a01', 1, 129.00),
    ('01890000-0000-7000-8000-000000000901', 1, '01890000-0000-7000-8000-000000000a04', 1, 49.95),
    ('01890000-0000-7000-8000-000000000902', 0, '01890000-0000-7000-8000-000000000a03', 2, 14.50);
