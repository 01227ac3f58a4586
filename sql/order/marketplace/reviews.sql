-- Reviews: what customer and provider say of one another after a job.

-- name: GetReview :one
SELECT * FROM review WHERE id = @id;

-- name: LockReview :one
-- As it is, to be changed by this transaction alone.
SELECT * FROM review WHERE id = @id FOR NO KEY UPDATE;

-- name: ListReviewsOfCustomer :page
-- One page of what a customer has written, or of what providers say of the customer, in the order asked for, equal ones
-- by id.
SELECT * FROM review WHERE customer_id = @customer_id AND side = @side
ORDER BY
    created_at, -- :sort created_at asc|desc, rating asc|desc
    id
LIMIT @page_size OFFSET @skip;

-- name: WalkReviewsOfCustomer :page
-- The same reviews, from a cursor on.
SELECT * FROM review WHERE customer_id = @customer_id AND side = @side
ORDER BY
    created_at, -- :sort created_at asc|desc, rating asc|desc
    id;

-- name: ListReviewsOfProvider :page
-- One page of what a provider has written, or of what customers say of the provider.
SELECT * FROM review WHERE provider_id = @provider_id AND side = @side
ORDER BY
    created_at, -- :sort created_at asc|desc, rating asc|desc
    id
LIMIT @page_size OFFSET @skip;

-- name: WalkReviewsOfProvider :page
-- The same reviews, from a cursor on.
SELECT * FROM review WHERE provider_id = @provider_id AND side = @side
ORDER BY
    created_at, -- :sort created_at asc|desc, rating asc|desc
    id;

-- name: AddReview :exec
INSERT INTO review (id, job_id, side, customer_id, provider_id, rating, comment)
VALUES (@id, @job_id, @side, @customer_id, @provider_id, @rating, @comment);

-- name: ChangeReview :execrows
-- Columns without a given value keep theirs.
UPDATE review SET
    rating = @rating, -- :set
    comment = @comment, -- :set
    version = version + 1,
    updated_at = now()
WHERE id = @id;

-- name: RemoveReview :execrows
DELETE FROM review WHERE id = @id;

-- name: RemoveReviewsOfJob :execrows
-- Both sides', of a job that was taken back: nothing was done that they could be about.
DELETE FROM review WHERE job_id = @job_id;

-- name: EraseComments :execrows
-- Of somebody who is gone: their words, not their stars.
UPDATE review SET comment = '', version = version + 1, updated_at = now()
WHERE comment <> ''
    AND (side = 'CUSTOMER' AND customer_id = @author_id OR side = 'PROVIDER' AND provider_id = @author_id);
