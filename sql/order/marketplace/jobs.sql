-- Jobs: accepted offers on their way to being done.

-- name: GetJob :one
SELECT * FROM job WHERE id = @id;

-- fragment: listed_jobs()
-- The jobs that match the filters of a list, whoever's they are.
job
WHERE true
    AND status = @status -- :if status
;

-- name: ListJobs :page
-- ignore: V030 only the staff counts the jobs of everybody in one status, and rarely
-- One page of everybody's jobs, in the order asked for, equal ones by id.
SELECT * FROM sqlc.include(listed_jobs)
ORDER BY
    created_at, -- :sort created_at asc|desc, book_time asc|desc
    id
LIMIT @page_size OFFSET @skip;

-- name: WalkJobs :page
-- The same jobs, from a cursor on.
SELECT * FROM sqlc.include(listed_jobs)
ORDER BY
    created_at, -- :sort created_at asc|desc, book_time asc|desc
    id;

-- name: ListJobsOfCustomer :page
-- One page of a customer's jobs, in the order asked for, equal ones by id.
SELECT * FROM sqlc.include(listed_jobs)
    AND customer_id = @customer_id
ORDER BY
    created_at, -- :sort created_at asc|desc, book_time asc|desc
    id
LIMIT @page_size OFFSET @skip;

-- name: WalkJobsOfCustomer :page
-- The same jobs, from a cursor on.
SELECT * FROM sqlc.include(listed_jobs)
    AND customer_id = @customer_id
ORDER BY
    created_at, -- :sort created_at asc|desc, book_time asc|desc
    id;

-- name: ListJobsOfProvider :page
-- One page of a provider's jobs, in the order asked for, equal ones by id.
SELECT * FROM sqlc.include(listed_jobs)
    AND provider_id = @provider_id
ORDER BY
    created_at, -- :sort created_at asc|desc, book_time asc|desc
    id
LIMIT @page_size OFFSET @skip;

-- name: WalkJobsOfProvider :page
-- The same jobs, from a cursor on.
SELECT * FROM sqlc.include(listed_jobs)
    AND provider_id = @provider_id
ORDER BY
    created_at, -- :sort created_at asc|desc, book_time asc|desc
    id;

-- name: HasJobUnderWay :one
-- Whether a provider works for a customer at the moment: a job that is neither over nor called off.
SELECT EXISTS (
    SELECT FROM job
    WHERE customer_id = @customer_id AND provider_id = @provider_id AND status NOT IN ('COMPLETED', 'CANCELLED')
);

-- name: AddJob :exec
INSERT INTO job (id, order_id, offer_id, customer_id, provider_id, service_id, price, currency, book_time)
VALUES (@id, @order_id, @offer_id, @customer_id, @provider_id, @service_id, @price, @currency, @book_time);

-- name: SetJobStatus :execrows
UPDATE job SET status = @status, version = version + 1, updated_at = now() WHERE id = @id;

-- name: ListSilentJobs :many
-- ignore: V030 job_done_at serves this query: few jobs are DONE at a time, and the statistics assume one of six
-- Some of those that are said to be done, and that nobody has objected to since, the longest first.
SELECT id, order_id FROM job
WHERE status = 'DONE' AND updated_at <= @until
ORDER BY updated_at, id
LIMIT @batch_size;

-- name: ListSuspectPairs :many
-- Who completed job after job with one another within a month, in whatever roles.
SELECT
    least(customer_id, provider_id)::uuid AS one, greatest(customer_id, provider_id)::uuid AS other, count(*) AS jobs
FROM job
WHERE status = 'COMPLETED' AND updated_at > now() - interval '30 days'
GROUP BY 1, 2
HAVING count(*) >= @jobs::bigint
ORDER BY jobs DESC, one, other
LIMIT 100;

-- name: ListSuspectReviews :many
-- Who is praised again and again, and by hardly anybody else, within a month.
SELECT provider_id, count(*) AS reviews, count(DISTINCT customer_id) AS customers
FROM review
WHERE side = 'CUSTOMER' AND created_at > now() - interval '30 days' AND rating >= 4.5
GROUP BY provider_id
HAVING count(*) >= @reviews::bigint AND count(DISTINCT customer_id) <= @customers::bigint
ORDER BY reviews DESC, provider_id
LIMIT 100;

-- name: RemoveJob :execrows
DELETE FROM job WHERE id = @id;

-- name: ListUnfinishedJobsOfCustomer :many
-- Those that are not over, of orders that were there at that moment.
SELECT job.* FROM job
JOIN service_order ON service_order.id = job.order_id
WHERE job.customer_id = @customer_id AND job.order_id = ANY(@order_ids::uuid[])
    AND job.status IN ('PENDING', 'IN_PROGRESS', 'PAUSED') AND service_order.created_at <= @until
ORDER BY job.order_id, job.id;

-- name: ListUnfinishedJobsOfProvider :many
-- Those that are not over, from offers that were there at that moment.
SELECT job.* FROM job
JOIN offer ON offer.id = job.offer_id
WHERE job.provider_id = @provider_id AND job.order_id = ANY(@order_ids::uuid[])
    AND job.status IN ('PENDING', 'IN_PROGRESS', 'PAUSED') AND offer.created_at <= @until
ORDER BY job.order_id, job.id;
