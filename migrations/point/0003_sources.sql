-- What an entry was made for, so that nothing is awarded twice.
SET LOCAL lock_timeout = '5s';

-- Such as `order:<id>:delivered:customer`; none for entries made by hand.
ALTER TABLE point_entry ADD COLUMN source text CHECK (length(source) BETWEEN 1 AND 200);
CREATE UNIQUE INDEX point_entry_source ON point_entry (source);
