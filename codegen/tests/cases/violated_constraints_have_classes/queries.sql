-- name: AddCustomer :one
INSERT INTO customer (id, email, age) VALUES (@id, @email, @age) RETURNING *;

-- name: AddPurchase :exec
INSERT INTO purchase (id, customer_id) VALUES (@id, @customer_id);

-- name: RemoveCustomer :execrows
DELETE FROM customer WHERE id = @id;

-- name: AddEmail :exec
INSERT INTO customer_email ("is") VALUES (@is_);
