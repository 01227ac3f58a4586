-- Three departments. Their ids are fixed: the demo staff of the user database refers to them.

INSERT INTO department (id, name, address) VALUES
    (x'01890000000070008000000000000d01', 'Human Resources', '1 Harbour Street, floor 2'),
    (x'01890000000070008000000000000d02', 'Finance', '1 Harbour Street, floor 5'),
    (x'01890000000070008000000000000d03', 'IT Support', '14 Mill Lane');
