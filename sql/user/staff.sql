-- The people of the HR list.

-- name: GetStaff :one
SELECT * FROM staff WHERE id = @id;

-- name: ListStaff :many
-- One page of the people who match, in the order asked for, equal ones by id.
-- `search` is a LIKE pattern.
SELECT * FROM staff
WHERE true
    AND department_id = @department_id -- :if department_id
    AND (name ILIKE @search OR email ILIKE @search) -- :if search
ORDER BY
    name, -- :sort name asc|desc, email asc|desc, age asc|desc, salary asc|desc, created_at asc|desc
    id
LIMIT @page_size OFFSET @skip;

-- name: CountStaff :one
-- How many people match: the same conditions as ListStaff.
SELECT count(*) FROM staff
WHERE true
    AND department_id = @department_id -- :if department_id
    AND (name ILIKE @search OR email ILIKE @search) -- :if search
;

-- name: StaffStatistics :one
-- Ages and salaries over everybody; nothing but the count where there is nobody.
SELECT
    max(age) AS high_age,
    min(age) AS low_age,
    round(avg(age), 2) AS avg_age,
    max(salary) AS high_salary,
    min(salary) AS low_salary,
    round(avg(salary), 2) AS avg_salary,
    count(*) AS count
FROM staff;
