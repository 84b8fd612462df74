CREATE TABLE t (
  k CHAR(36) CHARACTER SET ascii NOT NULL PRIMARY KEY,
  payload VARCHAR(100) NOT NULL, amount INT NOT NULL, KEY by_payload (payload)
);
INSERT IGNORE INTO t SELECT CONCAT(RPAD(HEX(n * 2654435761), 32, HEX(n)), '-', n), CONCAT('payload ', n), n FROM numbers WHERE n < 300;
