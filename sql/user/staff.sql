-- People as lists show them: those who work here, or everybody with an account.

-- fragment: listed(account, staff)
account.id, account.name, account.email, account.role, account.status, account.verified,
staff.department_id, staff.age, staff.salary, account.version, account.created_at, account.updated_at
;

-- fragment: matching(account, staff)
-- The filters of a list. `search` is a LIKE pattern.
account.status = ANY (@statuses)
AND staff.department_id = @department_id -- :if department_id
AND (account.name ILIKE @search OR account.email ILIKE @search) -- :if search
;

-- name: ListStaff :page
-- One page of the people who match, in the order asked for, equal ones by id.
-- `search` is a LIKE pattern.
SELECT sqlc.include(listed, account, staff)
FROM staff
JOIN account ON account.id = staff.id
WHERE sqlc.include(matching, account, staff)
ORDER BY
    name, -- :sort name asc|desc, email asc|desc, age asc|desc, salary asc|desc, created_at asc|desc
    id
LIMIT @page_size OFFSET @skip;

-- name: WalkStaff :page
-- The same people, from a cursor on.
SELECT sqlc.include(listed, account, staff)
FROM staff
JOIN account ON account.id = staff.id
WHERE sqlc.include(matching, account, staff)
ORDER BY
    name, -- :sort name asc|desc, email asc|desc, age asc|desc, salary asc|desc, created_at asc|desc
    id;

-- name: ListAccounts :page
-- ignore: V032 only administrators list all accounts, and rarely
-- The same over accounts of some roles; most of them do not work here.
SELECT sqlc.include(listed, account, staff)
FROM account
LEFT JOIN staff ON staff.id = account.id
WHERE account.role = ANY (@roles) AND sqlc.include(matching, account, staff)
ORDER BY
    name, -- :sort name asc|desc, email asc|desc, age asc|desc, salary asc|desc, created_at asc|desc
    id
LIMIT @page_size OFFSET @skip;

-- name: WalkAccounts :page
-- The same accounts, from a cursor on. A cursor has all keys of its query, and not everybody may see a salary.
SELECT sqlc.include(listed, account, staff)
FROM account
LEFT JOIN staff ON staff.id = account.id
WHERE account.role = ANY (@roles) AND sqlc.include(matching, account, staff)
ORDER BY
    name, -- :sort name asc|desc, email asc|desc, created_at asc|desc
    id;

-- name: WalkAccountsByEmployment :page
-- ignore: V032 only administrators sort all accounts by age or salary, which are columns of staff, and rarely
-- The same accounts by age or salary. Those without an employment come after the highest, as in ListAccounts.
SELECT sqlc.include(listed, account, staff)
FROM account
LEFT JOIN staff ON staff.id = account.id
WHERE account.role = ANY (@roles) AND sqlc.include(matching, account, staff)
ORDER BY
    age NULLS LAST, -- :sort age nulls last, age desc nulls first, salary nulls last, salary desc nulls first
    id;

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
