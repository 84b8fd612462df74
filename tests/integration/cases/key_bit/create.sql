CREATE TABLE t (
  k BIT(12) NOT NULL PRIMARY KEY,
  payload VARCHAR(100) NOT NULL, amount INT NOT NULL, KEY by_payload (payload)
);
INSERT IGNORE INTO t SELECT n * 13, CONCAT('payload ', n), n FROM numbers WHERE n < 300;
