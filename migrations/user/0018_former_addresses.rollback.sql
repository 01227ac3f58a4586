SET LOCAL lock_timeout = '5s';

DROP TABLE former_address;

-- A label of an enum cannot be removed: the type is made anew without it.
DELETE FROM account_token WHERE kind = 'undo_email';
ALTER TYPE token_kind RENAME TO former_token_kind;
CREATE TYPE token_kind AS ENUM ('verify_email', 'reset_password');
ALTER TABLE account_token ALTER COLUMN kind TYPE token_kind USING kind::text::token_kind;
DROP TYPE former_token_kind;
