CREATE TABLE t (
  k VARCHAR(20) CHARACTER SET latin1 NOT NULL PRIMARY KEY,
  payload VARCHAR(100) NOT NULL, amount INT NOT NULL, KEY by_payload (payload)
);
INSERT IGNORE INTO t SELECT CONCAT(n DIV 4, REPEAT(' ', n % 4)), CONCAT('payload ', n), n FROM numbers WHERE n < 300;
