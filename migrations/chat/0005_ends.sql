-- Channels end with what they are about, members may block them, and who is gone writes no more.
SET LOCAL lock_timeout = '5s';

ALTER TABLE channel ADD COLUMN ended_at timestamptz; -- when the job or order was over; NULL while it is not
ALTER TABLE member ADD COLUMN blocked boolean NOT NULL DEFAULT false; -- the member wants no more messages here

-- Accounts that were deactivated or deleted: their tokens may outlive them by some minutes.
CREATE TABLE departed (
    user_id uuid PRIMARY KEY,
    departed_at timestamptz NOT NULL
);
