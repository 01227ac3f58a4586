DROP TABLE provider_service;
DROP TABLE service;
DROP TABLE subcategory;
DROP TABLE category;
DROP TABLE category_type;
