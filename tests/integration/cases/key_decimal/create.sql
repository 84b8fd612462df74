CREATE TABLE t (
  k DECIMAL(20,5) NOT NULL PRIMARY KEY,
  payload VARCHAR(100) NOT NULL, amount INT NOT NULL, KEY by_payload (payload)
);
INSERT IGNORE INTO t SELECT (n - 150) * 1234567.12345, CONCAT('payload ', n), n FROM numbers WHERE n < 300;
