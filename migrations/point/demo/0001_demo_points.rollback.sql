-- The ledger is final for everybody else; taking the demo back is the exception.
ALTER TABLE point_entry DISABLE TRIGGER point_entry_is_final;
DELETE FROM point_entry WHERE user_id BETWEEN
    '01890000-0000-7000-8000-000000000001' AND '01890000-0000-7000-8000-000000000009';
ALTER TABLE point_entry ENABLE TRIGGER point_entry_is_final;
DELETE FROM point_balance WHERE user_id BETWEEN
    '01890000-0000-7000-8000-000000000001' AND '01890000-0000-7000-8000-000000000009';
