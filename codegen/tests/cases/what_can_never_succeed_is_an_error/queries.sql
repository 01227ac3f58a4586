-- name: WithoutItsIndex :exec
INSERT INTO account (email, name) VALUES (@email, @name)
ON CONFLICT (email) DO UPDATE SET name = excluded.name;

-- name: WithoutRequiredColumns :exec
INSERT INTO account (born) VALUES (@born);

-- name: WithoutADomainsValue :exec
INSERT INTO account (name, born) SELECT name, born FROM account;

-- name: WithABareNull :exec
WITH made AS (INSERT INTO account (email, name) VALUES (@email, NULL) RETURNING id)
SELECT id FROM made;

-- name: MergedWithoutRequiredColumns :exec
MERGE INTO account USING login ON account.id = login.account_id
WHEN MATCHED THEN UPDATE SET born = @born
WHEN NOT MATCHED THEN INSERT (born, name) VALUES (@born, NULL);

-- name: MergedIntoWhatATriggerFills :exec
MERGE INTO login USING account ON account.id = login.account_id
WHEN NOT MATCHED THEN INSERT (account_id) VALUES (account.id);

-- name: MergedWithEveryValue :exec
WITH made AS (SELECT 1)
MERGE INTO account USING login ON account.id = login.account_id
WHEN NOT MATCHED THEN INSERT (email, name) VALUES (@email, @name);

-- name: IntoAMaterializedView :exec
INSERT INTO names VALUES (@name);

-- name: JoinedByWhatCannotBeMerged :many
SELECT a.id FROM account a FULL JOIN account b ON a.id < b.id;

-- name: ColumnsThatComeAndGo :many
SELECT
    id
    , name -- :if named
FROM account WHERE true
    AND id > @after -- :if after
;

-- name: TypesThatComeAndGo :many
SELECT name FROM account WHERE true
    AND id = @key -- :if keyed
    AND @key > 0.5 -- :if large
;

-- name: FilledByATrigger :exec
INSERT INTO login (account_id) VALUES (@account_id);

-- name: FilledByTheServer :one
INSERT INTO account (email, name) VALUES (@email, @name) RETURNING *;

-- name: AStarThatStays :many
SELECT 1 AS one FROM (SELECT * FROM (account a CROSS JOIN account b) AS j) AS k;
