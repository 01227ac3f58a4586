-- Currencies that prices may be in.

-- name: GetCurrency :one
SELECT * FROM currency WHERE id = @id;

-- name: LockCurrency :one
-- As it is, to be changed by this transaction alone.
SELECT * FROM currency WHERE id = @id FOR NO KEY UPDATE;

-- name: ListCurrencies :page
-- One page, in the order asked for, equal ones by id. `search` is a LIKE pattern.
SELECT * FROM currency
WHERE true
    AND (code ILIKE @search OR currency ILIKE @search) -- :if search
ORDER BY
    code, -- :sort code asc|desc, created_at asc|desc
    id
LIMIT @page_size OFFSET @skip;

-- name: AddCurrency :exec
INSERT INTO currency (id, currency, code, symbol) VALUES (@id, @currency, @code, @symbol);

-- name: ChangeCurrency :execrows
-- Columns without a given value keep theirs.
UPDATE currency SET
    currency = @currency, -- :set
    code = @code, -- :set
    symbol = @symbol, -- :set
    version = version + 1,
    updated_at = now()
WHERE id = @id;

-- name: RemoveCurrency :execrows
DELETE FROM currency WHERE id = @id;
