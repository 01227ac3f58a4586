-- The departments that staff belong to.
-- depends:

CREATE TABLE department (
    id binary(16) PRIMARY KEY, -- UUIDv7, made by the application
    name varchar(255) NOT NULL,
    address varchar(255),
    version integer NOT NULL DEFAULT 1,
    created_at timestamp(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
    updated_at timestamp(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
    -- One department per name whatever its case, as the collation compares.
    UNIQUE KEY department_name_key (name),
    KEY department_created_at_id (created_at, id),
    CONSTRAINT department_name_check CHECK (name = trim(name) AND char_length(name) >= 1),
    CONSTRAINT department_address_check CHECK (char_length(address) >= 1)
) DEFAULT CHARACTER SET utf8mb4
-- Case does not tell texts apart, accents do: each server has a name of its own for that.
COLLATE /*M! utf8mb4_uca1400_nopad_as_ci */ /*!80001 utf8mb4_0900_as_ci */
ENGINE InnoDB;
