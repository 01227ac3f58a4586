-- People as lists show them: those who work here, or everybody with an account.

-- name: ListStaff :page
-- One page of the people who match, in the order asked for, equal ones by id.
-- `search` is a LIKE pattern.
SELECT
    account.id, account.name, account.email, account.role, account.status, account.verified,
    staff.department_id, staff.age, staff.salary, account.version, account.created_at, account.updated_at
FROM staff
JOIN account ON account.id = staff.id
WHERE account.status = ANY (@statuses)
    AND staff.department_id = @department_id -- :if department_id
    AND (account.name ILIKE @search OR account.email ILIKE @search) -- :if search
ORDER BY
    name, -- :sort name asc|desc, email asc|desc, age asc|desc, salary asc|desc, created_at asc|desc
    id
LIMIT @page_size OFFSET @skip;

-- name: ListAccounts :page
-- ignore: V032 only administrators list all accounts, and rarely
-- The same over accounts of some roles; most of them do not work here.
SELECT
    account.id, account.name, account.email, account.role, account.status, account.verified,
    staff.department_id, staff.age, staff.salary, account.version, account.created_at, account.updated_at
FROM account
LEFT JOIN staff ON staff.id = account.id
WHERE account.status = ANY (@statuses) AND account.role = ANY (@roles)
    AND staff.department_id = @department_id -- :if department_id
    AND (account.name ILIKE @search OR account.email ILIKE @search) -- :if search
ORDER BY
    name, -- :sort name asc|desc, email asc|desc, age asc|desc, salary asc|desc, created_at asc|desc
    id
LIMIT @page_size OFFSET @skip;

-- name: StaffStatistics :one
-- Ages and salaries over everybody who works here; nothing but the count where there is nobody.
SELECT
    max(age) AS high_age,
    min(age) AS low_age,
    round(avg(age), 2) AS avg_age,
    max(salary) AS high_salary,
    min(salary) AS low_salary,
    round(avg(salary), 2) AS avg_salary,
    count(*) AS count
FROM staff;

-- name: PutStaff :exec
INSERT INTO staff (id, department_id, age, salary)
VALUES (@id, @department_id::uuid, @age, @salary)
ON CONFLICT (id) DO UPDATE SET
    department_id = excluded.department_id, age = excluded.age, salary = excluded.salary;

-- name: RemoveStaff :execrows
DELETE FROM staff WHERE id = @id;

-- name: LeaveDepartment :execrows
-- It is no longer there; each account it was shown with has another version.
WITH gone AS (
    UPDATE staff SET department_id = NULL WHERE department_id = @department_id RETURNING id
)
UPDATE account SET version = version + 1, updated_at = now() FROM gone WHERE account.id = gone.id;
