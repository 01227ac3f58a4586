-- Nine people of three departments, whose ids are those of the department service's demo data:
-- ...d01 Human Resources, ...d02 Finance, ...d03 IT Support.

INSERT INTO account (id, first_name, last_name, email, role, verified, created_by) VALUES
    ('01890000-0000-7000-8000-000000000001', 'Alice', 'Johnson', 'alice.johnson@example.com', 'STAFF', true, 'demo'),
    ('01890000-0000-7000-8000-000000000002', 'Bob', 'Smith', 'bob.smith@example.com', 'STAFF', true, 'demo'),
    ('01890000-0000-7000-8000-000000000003', 'Charlie', 'Brown', 'charlie.brown@example.com', 'STAFF', true, 'demo'),
    ('01890000-0000-7000-8000-000000000004', 'Diana', 'Prince', 'diana.prince@example.com', 'STAFF', true, 'demo'),
    ('01890000-0000-7000-8000-000000000005', 'Ethan', 'Hunt', 'ethan.hunt@example.com', 'STAFF', true, 'demo'),
    ('01890000-0000-7000-8000-000000000006', 'Fiona', 'Gallagher', 'fiona.gallagher@example.com', 'STAFF', true, 'demo'),
    ('01890000-0000-7000-8000-000000000007', 'George', 'Costanza', 'george.costanza@example.com', 'STAFF', true, 'demo'),
    ('01890000-0000-7000-8000-000000000008', 'Hannah', 'Baker', 'hannah.baker@example.com', 'STAFF', true, 'demo'),
    ('01890000-0000-7000-8000-000000000009', 'Ian', 'Malcolm', 'ian.malcolm@example.com', 'STAFF', true, 'demo');

INSERT INTO staff (id, department_id, age, salary) VALUES
    ('01890000-0000-7000-8000-000000000001', '01890000-0000-7000-8000-000000000d01', 30, 60000),
    ('01890000-0000-7000-8000-000000000002', '01890000-0000-7000-8000-000000000d01', 28, 55000),
    ('01890000-0000-7000-8000-000000000003', '01890000-0000-7000-8000-000000000d01', 35, 70000),
    ('01890000-0000-7000-8000-000000000004', '01890000-0000-7000-8000-000000000d02', 32, 80000),
    ('01890000-0000-7000-8000-000000000005', '01890000-0000-7000-8000-000000000d02', 29, 75000),
    ('01890000-0000-7000-8000-000000000006', '01890000-0000-7000-8000-000000000d02', 27, 52000),
    ('01890000-0000-7000-8000-000000000007', '01890000-0000-7000-8000-000000000d03', 40, 90000),
    ('01890000-0000-7000-8000-000000000008', '01890000-0000-7000-8000-000000000d03', 22, 48000),
    ('01890000-0000-7000-8000-000000000009', '01890000-0000-7000-8000-000000000d03', 38, 85000);
