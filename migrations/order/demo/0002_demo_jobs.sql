-- Currencies to name prices in, and cities to work from.

INSERT INTO currency (id, currency, code, symbol) VALUES
    ('01890000-0000-7000-8000-00000000e101', 'Euro', 'EUR', '€'),
    ('01890000-0000-7000-8000-00000000e102', 'US dollar', 'USD', '$'),
    ('01890000-0000-7000-8000-00000000e103', 'Pound sterling', 'GBP', '£');

INSERT INTO city (id, name, longitude, latitude, country, iso2, admin_name, capital) VALUES
    ('01890000-0000-7000-8000-00000000e201', 'Berlin', 13.405, 52.52, 'Germany', 'DE', 'Berlin', 'PRIMARY'),
    ('01890000-0000-7000-8000-00000000e202', 'Hamburg', 9.9937, 53.5511, 'Germany', 'DE', 'Hamburg', 'ADMIN'),
    ('01890000-0000-7000-8000-00000000e203', 'Potsdam', 13.0645, 52.3906, 'Germany', 'DE', 'Brandenburg', 'ADMIN'),
    ('01890000-0000-7000-8000-00000000e204', 'Rostock', 12.0991, 54.0924, 'Germany', 'DE', 'Mecklenburg-Vorpommern', 'MINOR'),
    ('01890000-0000-7000-8000-00000000e205', 'Paris', 2.3522, 48.8566, 'France', 'FR', 'Île-de-France', 'PRIMARY');
