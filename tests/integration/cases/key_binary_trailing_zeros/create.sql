CREATE TABLE t (
  k BINARY(16) NOT NULL PRIMARY KEY,
  payload VARCHAR(100) NOT NULL, amount INT NOT NULL, KEY by_payload (payload)
);
INSERT IGNORE INTO t SELECT IF(n % 2 = 0, UNHEX(RPAD(LPAD(HEX(n), 4, '0'), 32, '0')), UNHEX(RPAD(HEX(n * 2654435761), 32, HEX(n)))), CONCAT('payload ', n), n FROM numbers WHERE n < 300;
REPLACE INTO t VALUES (X'00', 'zeros', 1), (X'FF', 'one', 1), (X'FF00FF', 'three', 1);
