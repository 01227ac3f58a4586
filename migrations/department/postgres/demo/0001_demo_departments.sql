-- Three departments. Their ids are fixed: the demo staff of the user database refers to them.

INSERT INTO department (id, name, address) VALUES
    ('01890000-0000-7000-8000-000000000d01', 'Human Resources', '1 Harbour Street, floor 2'),
    ('01890000-0000-7000-8000-000000000d02', 'Finance', '1 Harbour Street, floor 5'),
    ('01890000-0000-7000-8000-000000000d03', 'IT Support', '14 Mill Lane');
