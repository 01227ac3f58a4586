-- Texts are told apart, and bounded, exactly as PostgreSQL does it: by case, by spaces at the end.
-- depends: 0002_outbox

-- Names are in one order on both engines, by code point; the search takes case away by `lower`.
-- Under utf8mb4_bin `k` and `k ` would be one key.
ALTER TABLE product
    MODIFY name varchar(255)
        COLLATE /*M! utf8mb4_nopad_bin */ /*!80017 utf8mb4_0900_bin */ NOT NULL,
    MODIFY description varchar(4000)
        COLLATE /*M! utf8mb4_nopad_bin */ /*!80017 utf8mb4_0900_bin */ NOT NULL DEFAULT '',
    ADD KEY product_status_name_id (status, name, id),
    DROP CONSTRAINT product_currency_check,
    MODIFY currency char(3) COLLATE utf8mb4_bin NOT NULL, -- ISO 4217
    ADD CONSTRAINT product_currency_check CHECK (currency REGEXP '^[A-Z]{3}$');

ALTER TABLE price_change MODIFY changed_by text NOT NULL; -- the subject of a token

ALTER TABLE stock_movement MODIFY actor text NOT NULL; -- the subject of a token, or `system`

ALTER TABLE reservation
    CONVERT TO CHARACTER SET utf8mb4
        COLLATE /*M! utf8mb4_nopad_bin */ /*!80017 utf8mb4_0900_bin */,
    ADD CONSTRAINT reservation_owner_check CHECK (char_length(owner) >= 1),
    ADD CONSTRAINT reservation_request_key_check CHECK (char_length(request_key) >= 1);
