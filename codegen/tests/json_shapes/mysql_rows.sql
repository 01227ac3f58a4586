INSERT INTO author VALUES
(1, 'Ann', 'writes', 'happy', 'so so', '1970-01-31', '2024-02-29 12:30:15.250000',
 '2024-02-29 12:30:15.125', '07:30:00.50', '-838:59:59', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11',
 12345678901234567890.1234567891, 0.10, 0.1, 1.5, 1, 0, -5, 18446744073709551615, 1999, 42, 257, 'ab',
 'a,b', '{"a": [1, null]}', '{"b": 1.50}'),
(2, 'Bob "quoted" \\ é', NULL, 'so so', NULL, NULL, NULL, '0001-01-01', NULL, '100:00:00', NULL,
 -0.5, NULL, 1e300, NULL, 0, NULL, 0, 0, NULL, NULL, NULL, NULL, '', NULL, '[1, "x"]'),
(3, 'Cäcilia\n', '', 'happy', 'happy', '9999-12-31', '1999-01-01', '9999-12-31 23:59:59.999',
 '00:00:00', '00:00:00', NULL, 0, 7, -2.5e-10, 3, 1, 1, 127, 7, 2155, 7, 1, '\0', 'b', '[]', '"text"');
INSERT INTO book VALUES
(1, 1, 'First', 9.90, 0.5, '{"pages": 7}'), (2, 1, 'Sec"ond', NULL, NULL, NULL),
(3, 2, 'Third', 0.00, 1e22, '[]'), (4, NULL, 'Nobody''s', 1.00, 3, 'null');
INSERT INTO review VALUES (1, 1, 5, 'good'), (2, 1, 1, NULL), (3, 3, 3, '{"not": "json"}');
