CREATE TABLE t (
  k DECIMAL(8,2) UNSIGNED NOT NULL PRIMARY KEY,
  payload VARCHAR(100) NOT NULL, amount INT NOT NULL, KEY by_payload (payload)
);
INSERT IGNORE INTO t SELECT n * 3.25, CONCAT('payload ', n), n FROM numbers WHERE n < 300;
