CREATE TABLE types (
    id INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    c_tinyint TINYINT, c_bool BOOLEAN, c_utinyint TINYINT UNSIGNED, c_smallint SMALLINT, c_mediumint MEDIUMINT,
    c_int INT, c_bigint BIGINT, c_ubigint BIGINT UNSIGNED, c_decimal DECIMAL(30,10), c_float FLOAT, c_double DOUBLE,
    c_bit BIT(12), c_year YEAR, c_date DATE, c_time TIME(3), c_datetime DATETIME(6), c_timestamp TIMESTAMP(6) NULL,
    c_char CHAR(10), c_varchar VARCHAR(200), c_binary BINARY(8), c_varbinary VARBINARY(300), c_tinyblob TINYBLOB,
    c_blob BLOB, c_text TEXT, c_mediumtext MEDIUMTEXT, c_longtext LONGTEXT, c_enum ENUM('small','medium','größe'),
    c_set SET('a','b','c'), c_json JSON, c_point POINT
) DEFAULT CHARSET utf8mb4
