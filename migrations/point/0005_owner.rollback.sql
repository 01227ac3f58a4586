-- Balances follow in the name of whoever adds an entry again.
SET LOCAL lock_timeout = '5s';

ALTER FUNCTION point_entry_moves_balance() SECURITY INVOKER RESET search_path;
