DROP TABLE file_to_remove;
