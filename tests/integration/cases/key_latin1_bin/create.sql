CREATE TABLE t (
  k VARCHAR(40) CHARACTER SET latin1 COLLATE latin1_bin NOT NULL PRIMARY KEY,
  payload VARCHAR(100) NOT NULL, amount INT NOT NULL, KEY by_payload (payload)
);
INSERT IGNORE INTO t SELECT CONCAT(ELT(1 + n % 5, 'äbc', 'Äbc', 'abc', 'x', 'x '), n DIV 5), CONCAT('payload ', n), n FROM numbers WHERE n < 300;
