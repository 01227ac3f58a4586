ALTER TABLE reservation
    DROP CONSTRAINT reservation_request_key_check,
    DROP CONSTRAINT reservation_owner_check,
    CONVERT TO CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

ALTER TABLE stock_movement MODIFY actor varchar(200) NOT NULL;

ALTER TABLE price_change MODIFY changed_by varchar(200) NOT NULL;

ALTER TABLE product
    MODIFY name varchar(255)
        COLLATE /*M! utf8mb4_uca1400_nopad_as_ci */ /*!80001 utf8mb4_0900_as_ci */ NOT NULL,
    MODIFY description varchar(4000)
        COLLATE /*M! utf8mb4_uca1400_nopad_as_ci */ /*!80001 utf8mb4_0900_as_ci */
        NOT NULL DEFAULT '',
    DROP KEY product_status_name_id,
    DROP CONSTRAINT product_currency_check,
    MODIFY currency char(3)
        COLLATE /*M! utf8mb4_uca1400_nopad_as_ci */ /*!80001 utf8mb4_0900_as_ci */ NOT NULL,
    ADD CONSTRAINT product_currency_check CHECK (char_length(currency) = 3);
