CREATE TABLE t (
  k VARCHAR(40) CHARACTER SET binary NOT NULL PRIMARY KEY,
  payload VARCHAR(100) NOT NULL, amount INT NOT NULL, KEY by_payload (payload)
);
INSERT IGNORE INTO t SELECT CONCAT(UNHEX(RPAD(HEX((n DIV 2) * 2654435761), 32, HEX(n DIV 2))), IF(n % 2 = 0, '', '\0')), CONCAT('payload ', n), n FROM numbers WHERE n < 300;
