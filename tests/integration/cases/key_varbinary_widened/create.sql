CREATE TABLE t (
  k VARBINARY(20) NOT NULL PRIMARY KEY,
  payload VARCHAR(100) NOT NULL, amount INT NOT NULL, KEY by_payload (payload)
);
INSERT IGNORE INTO t SELECT CONCAT(CHAR(n DIV 4), REPEAT('\0', n % 4)), CONCAT('payload ', n), n FROM numbers WHERE n < 300;
