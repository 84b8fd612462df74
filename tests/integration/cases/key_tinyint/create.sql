CREATE TABLE t (k TINYINT NOT NULL PRIMARY KEY, payload VARCHAR(100) NOT NULL, amount INT NOT NULL, KEY by_payload (payload));
INSERT INTO t SELECT n - 128, CONCAT('payload ', n), n FROM numbers WHERE n < 256;
