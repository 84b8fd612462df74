CREATE TABLE t (k SMALLINT NOT NULL PRIMARY KEY, payload VARCHAR(100) NOT NULL, amount INT NOT NULL, KEY by_payload (payload));
INSERT INTO t SELECT (n - 150) * 200, CONCAT('payload ', n), n FROM numbers WHERE n < 256;
