CREATE TABLE t (
  k BINARY(3) NOT NULL PRIMARY KEY,
  payload VARCHAR(100) NOT NULL, amount INT NOT NULL, KEY by_payload (payload)
);
INSERT IGNORE INTO t SELECT UNHEX(LPAD(HEX(n * 257), 6, '0')), CONCAT('payload ', n), n FROM numbers WHERE n < 300;
