-- The people of the HR list.

-- name: GetStaff :one
SELECT * FROM staff WHERE id = @id;

-- name: ListStaff :many
-- One page of the people who match, in the order asked for, equal ones by id.
-- `search` is a LIKE pattern; `order_by` is name, email, age, salary or created_at.
SELECT * FROM staff
WHERE (sqlc.narg(department_id)::uuid IS NULL OR department_id = sqlc.narg(department_id)::uuid)
    AND (
        sqlc.narg(search)::text IS NULL
        OR name ILIKE sqlc.narg(search)::text
        OR email ILIKE sqlc.narg(search)::text
    )
ORDER BY
    CASE WHEN NOT @descending::boolean THEN CASE @order_by::text WHEN 'name' THEN name WHEN 'email' THEN email END END,
    CASE WHEN NOT @descending::boolean THEN CASE @order_by::text WHEN 'age' THEN age WHEN 'salary' THEN salary END END,
    CASE WHEN NOT @descending::boolean THEN CASE @order_by::text WHEN 'created_at' THEN created_at END END,
    CASE WHEN @descending::boolean THEN CASE @order_by::text WHEN 'name' THEN name WHEN 'email' THEN email END END DESC,
    CASE WHEN @descending::boolean THEN CASE @order_by::text WHEN 'age' THEN age WHEN 'salary' THEN salary END END DESC,
    CASE WHEN @descending::boolean THEN CASE @order_by::text WHEN 'created_at' THEN created_at END END DESC,
    id
LIMIT @page_size OFFSET @skip;

-- name: CountStaff :one
-- How many people match: the same conditions as ListStaff.
SELECT count(*) FROM staff
WHERE (sqlc.narg(department_id)::uuid IS NULL OR department_id = sqlc.narg(department_id)::uuid)
    AND (
        sqlc.narg(search)::text IS NULL
        OR name ILIKE sqlc.narg(search)::text
        OR email ILIKE sqlc.narg(search)::text
    );

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
