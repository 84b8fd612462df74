CREATE TABLE t (
  k YEAR NOT NULL PRIMARY KEY,
  payload VARCHAR(100) NOT NULL, amount INT NOT NULL, KEY by_payload (payload)
);
INSERT IGNORE INTO t SELECT 1901 + n % 250, CONCAT('payload ', n), n FROM numbers WHERE n < 300;
REPLACE INTO t VALUES (0, 'zero', 1);
