DROP TABLE point_entry;
DROP TABLE point_balance;
DROP FUNCTION point_entry_moves_balance();
DROP FUNCTION point_refuse_change();
