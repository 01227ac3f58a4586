INSERT INTO author VALUES
(1, 'Ann', 'writes', 'happy', 'so so', 'ann@example.org', ROW('Main', 7)::place, '1970-01-31',
 '2024-02-29 12:30:15.25+02', '2024-02-29 12:30:15', '07:30:00.5', '07:30+02', '1 day 02:00',
 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 'b0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '\x00ff5c',
 12345678901234567890.123456789012345678, 0.10, 0.1, 1.5, true, false, '{a,b}', '{1,NULL}',
 '{{1,2},{3,4}}', '{"a": [1, null]}', '{"b": 1.50}', '[1,5)', '10.0.0.1', 'x'),
(2, 'Bob "quoted" é', NULL, 'Null', NULL, NULL, NULL, NULL, NULL, 'infinity', NULL, NULL, NULL,
 'c0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', NULL, NULL, 'NaN', NULL, 'NaN', NULL, false, NULL, '{}',
 NULL, NULL, NULL, 'null', NULL, NULL, NULL),
(3, 'infinity', 'NaN', 'so so', 'Null', 'null@x', ROW(NULL, NULL)::place, 'infinity', '-infinity',
 '-infinity', '23:59:59.999999', '00:00-11', '-1 mon', 'd0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11',
 'd0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '', 'Infinity', -999999.99, '-Infinity', 'Infinity', true,
 true, '{NULL,"x,y"}', '{}', '{}', 'null', '[]', 'empty', '::1/64', ''),
(4, '', '', 'happy', 'happy', 'a@b', ROW('x', NULL)::place, '-infinity', 'infinity',
 '1999-12-31 23:59:59.999999', '00:00', '12:00Z', '00:00', 'e0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11',
 NULL, '\xdeadbeef', '-Infinity', 0, 1e300, 'NaN', false, true, '{NULL}', '{NULL,NULL}', '{{7}}',
 '3.14', '"text"', '(,)', '0.0.0.0/0', '\'),
(5, 'Eve', 'e', 'happy', 'happy', 'e@f', ROW('', 0)::place, '0001-01-01', '1850-06-01 00:00+00',
 '0001-01-01', '12:34', '12:34+05:30', '10:00', 'f0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', NULL, 'abc',
 0.000000000000000000001, 1.10, 1e-7, 0.1, true, NULL, '{z}', '{5}', '{{NULL}}', '{}', '{"n":"x"}',
 '[1,1)', 'fe80::1', 'é');
UPDATE author SET grid = '{{1}}' WHERE id = 5;
INSERT INTO book VALUES
(1, 1, 'First', 9.99, 0.5, '111', '{"pages": 10}'), (2, 1, 'Second', NULL, 'NaN', NULL, NULL),
(3, 2, 'Third', 'NaN', NULL, '333', 'null'), (4, NULL, 'Orphan', 1e20, 1e21, '444', '[1]');
INSERT INTO review VALUES (1, 1, 5, 'good'), (2, 1, 1, NULL), (3, 3, 3, 'meh');
INSERT INTO sound VALUES ('low', 'happy'), ('high', 'so so');
