-- Balances and the ledger that explains them. An entry is the only way to change a balance.
-- depends:

SET LOCAL lock_timeout = '5s';

CREATE TABLE point_balance (
    user_id uuid PRIMARY KEY, -- a user of the user service; no key across databases
    -- The limit is that of the int32 in which older clients receive it.
    balance bigint NOT NULL DEFAULT 0 CHECK (balance BETWEEN 0 AND 2147483647),
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE point_entry (
    id uuid PRIMARY KEY, -- UUIDv7: ordered by time
    user_id uuid NOT NULL REFERENCES point_balance (user_id) ON DELETE RESTRICT,
    amount bigint NOT NULL CHECK (amount <> 0),
    reason text NOT NULL CHECK (length(btrim(reason)) BETWEEN 1 AND 200),
    balance_after bigint NOT NULL CHECK (balance_after >= 0),
    created_at timestamptz NOT NULL DEFAULT now()
);

-- A user's ledger, page by page.
CREATE INDEX point_entry_user_id_id ON point_entry (user_id, id);

-- Moves the balance by the entry's amount and notes where it ended; the row lock it takes puts
-- concurrent entries of one user in a line. Spending more than there is fails the balance's check.
CREATE FUNCTION point_entry_moves_balance() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO point_balance (user_id) VALUES (NEW.user_id) ON CONFLICT DO NOTHING;
    UPDATE point_balance
    SET balance = balance + NEW.amount, version = version + 1, updated_at = now()
    WHERE user_id = NEW.user_id
    RETURNING balance INTO NEW.balance_after;
    RETURN NEW;
END
$$;

CREATE TRIGGER point_entry_moves_balance BEFORE INSERT ON point_entry
FOR EACH ROW EXECUTE FUNCTION point_entry_moves_balance();

CREATE FUNCTION point_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '%', TG_ARGV[0] USING ERRCODE = 'integrity_constraint_violation';
END
$$;

CREATE TRIGGER point_entry_is_final BEFORE UPDATE OR DELETE ON point_entry
FOR EACH ROW EXECUTE FUNCTION point_refuse_change('ledger entries are final: add a correcting entry');

-- Depth 0 is a statement of somebody's own; the ledger's trigger comes one deeper.
CREATE TRIGGER point_balance_follows_ledger BEFORE UPDATE OF balance ON point_balance
FOR EACH ROW WHEN (pg_trigger_depth() = 0)
EXECUTE FUNCTION point_refuse_change('a balance changes only by a ledger entry');

CREATE TRIGGER point_balance_starts_empty BEFORE INSERT ON point_balance
FOR EACH ROW WHEN (NEW.balance <> 0)
EXECUTE FUNCTION point_refuse_change('a balance starts at 0 and changes only by a ledger entry');
